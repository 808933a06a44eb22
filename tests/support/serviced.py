"""A real native program as the agent of a host with a real systemd, whose vendor is an nginx on that host."""

import hashlib
import io
import itertools
import json
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard
from support import real_releases
from support.commands import PAWLD, release
from support.systemd import SystemdHost
from support.vendor_site import TOKEN, VendorSite

_NUMBER = itertools.count()
_UNIT = """[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'tail -f /dev/null | {root}/current/{program} server'
Restart=always
RestartSec=100ms
KillMode=control-group
"""
_CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.ruff]
root = "{root}"
[agents.ruff.source]
type = "scalepad"
base_url = "{base_url}"
token_file = "{home}/token"
[agents.ruff.trust]
type = "tuf"
metadata_url = "{metadata_url}"
root_file = "{home}/publisher/public/metadata/1.root.json"
[agents.ruff.install]
type = "{form}"
qualify = ["{{slot}}/{program}", "--version"]
reserve = "1MiB"
[agents.ruff.service]
type = "systemd"
unit = "{unit}"
[agents.ruff.health]
probation = "{probation}"
checks = [
  {{ type = "service", every = "1s" }},
  {{ type = "version", command = ["{{current}}/{program}", "--version"], every = "1s" }},
]
"""


@dataclass(frozen=True)
class Answered:
    """What a command of ours answered: exit code, and the agent in its document."""

    exit: int | None
    agent: dict[str, Any]

    @property
    def reason(self) -> str:
        return str(self.agent["reason"]["code"])


@dataclass
class Serviced:
    """The agent ``ruff``, its unit, its vendor and its publisher, all below *home*, which the host sees too."""

    host: SystemdHost
    home: Path
    form: str
    unit: str
    builds: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root = self.home / "opt"
        self.program = "bin/ruff" if self.form == "directory" else "ruff"
        self.site = VendorSite(self.home / "vendor", self.home / "publisher" / "public")

    def found(self) -> None:
        """Set host, vendor and publisher up; nothing is released or installed yet."""
        token = self.home / "token"
        token.touch(mode=0o600)
        token.write_text(TOKEN)
        self.configure()
        release(self.home, "init", "--product", "ruff", "--unsafe-single-key", self.home / "publisher")
        self.host.unit(self.unit, _UNIT.format(root=self.root, program=self.program))
        started = self.host.run(["systemd-run", f"--unit={self.vendor}", "--collect", *self.site.command])
        assert started.ok, started.story

    def configure(self, *, probation: str = "2s") -> None:
        words = {"home": self.home, "root": self.root, "form": self.form, "unit": self.unit, "program": self.program}
        urls = {"base_url": self.site.base_url, "metadata_url": self.site.metadata_url}
        (self.home / "pawld.toml").write_text(_CONFIG.format(**words, **urls, probation=probation))

    @property
    def vendor(self) -> str:
        return "vendor-of-" + self.unit

    def release(self, version: str) -> None:
        """Ship the program as the vendor would, and sign its record."""
        build, filename = self._packed(version)
        self.builds[version] = build
        path = self.home / filename
        path.write_bytes(build)
        place = ["--version", version, "--platform", "linux-x86_64", "--channel", "stable"]
        words = [*place, "--entrypoint", self.program, "--patches", "0"]  # a patch of 30 MB takes its time
        release(self.home / "publisher", "ingest", path, *words)
        self.site.publish(version, filename, build)

    def pawld(self, *words: str) -> Answered:
        """Run a command on the host."""
        finished = self.host.run(self.command(*words))
        assert finished.output, finished.story
        return Answered(finished.code, json.loads(finished.output)["agents"][0])

    def command(self, *words: str) -> list[str]:
        return [*PAWLD, "--config", str(self.home / "pawld.toml"), "--json", *words]

    def history(self) -> list[dict[str, Any]]:
        return list(json.loads(self.host.run(self.command("history")).output)["events"])

    def current(self) -> Path:
        """The slot that ``current`` leads to."""
        return (self.root / "current").resolve()

    def slot(self, version: str) -> Path:
        return self.root / "versions" / f"{version}-{self.digest(version)[:12]}"

    def digest(self, version: str) -> str:
        return hashlib.sha256(self.builds[version]).hexdigest()

    def running(self) -> list[Path]:
        """The native programs that the unit's processes are, by ``/proc/PID/exe``; one that starts is awaited."""
        for _ in range(100):
            if programs := self._programs():
                return programs
            if not self.host.run(["systemctl", "is-active", self.unit]).ok:
                return []
            time.sleep(0.05)
        return []

    def said_version(self) -> str:
        """What the program answers through ``current``, asked past everything that is ours."""
        return self.host.run([str(self.root / "current" / self.program), "--version"]).output.strip()

    def _programs(self) -> list[Path]:
        group = self.host.run(["systemctl", "show", "--value", "--property=ControlGroup", self.unit]).output.strip()
        if not group:
            return []
        pids = self.host.run(["cat", f"/sys/fs/cgroup{group}/cgroup.procs"]).output.split()
        links = [self.host.run(["readlink", f"/proc/{pid}/exe"]).output.strip() for pid in pids]
        return [Path(link) for link in links if Path(link).name == "ruff"]

    def _packed(self, version: str) -> tuple[bytes, str]:
        program = real_releases.program(version)
        name = f"ruff-{version}-linux-x86_64"
        if self.form == "file":
            return program, name
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            member = tarfile.TarInfo("bin/ruff")
            member.size, member.mode = len(program), 0o755
            archive.addfile(member, io.BytesIO(program))
        return zstandard.ZstdCompressor(level=3).compress(packed.getvalue()), f"{name}.tar.zst"


@contextmanager
def serviced(host: SystemdHost, *, form: str = "directory") -> Iterator[Serviced]:
    """Set the agent up, and leave nothing of it running."""
    number = next(_NUMBER)
    home = host.shared / f"ruff-{number}"
    home.mkdir()
    agent = Serviced(host, home, form, f"ruff-{number}.service")
    agent.found()
    try:
        yield agent
    finally:
        for unit in ("pawld-deadman-ruff.timer", agent.unit, agent.vendor):
            host.run(["systemctl", "stop", unit])
