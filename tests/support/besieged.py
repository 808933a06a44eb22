"""A whole host under siege: the real updater with a running agent, and a vendor, a network and a signer that misbehave.

Everything is real but the attacker's patience: settings, TUF client, mover, extractor, service, health checks. What an
attack must not do is looked at from outside: by asking the agent itself, and by comparing the disk.
"""

import hashlib
import io
import re
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.moving import serving
from support.ports import free_port
from support.raw_server import Asked, Handler, Wire, raw_server
from support.static_web import StaticWeb, static_web
from support.tuf_repository import TufRepository, custom
from support.verified import Quiet

from pawld.demo import vendor as vendors
from pawld.demo.program import Release
from pawld.lifecycle.cycle import Outcome
from pawld.settings import load
from pawld.system.platform import detect
from pawld.wiring.host import Host, opened_for_change

CONFIG = """\
[updater]
state_dir = "{home}/state"
stall = "1s"
download_deadline = "3s"

[agents.acme]
root = "{home}/opt/acme"

[agents.acme.source]
type = "scalepad"
base_url = "{interface}/v2"
token_file = "{home}/token"

[agents.acme.trust]
type = "tuf"
metadata_url = "{metadata}"
root_file = "{home}/root.json"

[agents.acme.install]
type = "directory"
reserve = "1MiB"

[agents.acme.service]
type = "command"
start = ["{python}", "{{current}}/bin/acme-agent", "start", "{home}/pid", "{port}"]
stop = ["{python}", "{{current}}/bin/acme-agent", "stop", "{home}/pid"]
is_running = ["{python}", "{{current}}/bin/acme-agent", "status", "{home}/pid"]

timeout = "2s"

[agents.acme.health]
probation = "1s"
checks = [{{ type = "http", url = "http://127.0.0.1:{port}/health", every = "1s" }}]
"""
CONFIG_SHORT = re.compile(r"^(stall|download_deadline) = .*$", re.MULTILINE)


@dataclass(slots=True)
class Vendor(vendors.Vendor):
    """A vendor whose interface may lie: *lies* replace what it says of a build."""

    lies: dict[str, Any] = field(default_factory=dict)

    def release(self, version: str) -> dict[str, Any] | None:
        document = vendors.Vendor.release(self, version)
        if document is not None:
            artifact = document["artifacts"][self.platform][self.arch]
            artifact.update((name, value) for name, value in self.lies.items() if name in artifact)
            document.update((name, value) for name, value in self.lies.items() if name in document)
        return document


class Besieged:
    """One host, and everybody that it has to do with.

    Attributes:
        content: what the host that the vendor redirects to answers; an attack replaces it.
        web: the server of the signed metadata.
        repository: its keys; an attack may hold them too.
    """

    def __init__(self, home: Path, repository: TufRepository, web: StaticWeb, content_url: str) -> None:
        platform = detect()
        self.home, self.repository, self.web = home, repository, web
        self.platform, self.sequence = platform, 0
        self.target = f"acme/stable/{platform.name}"
        self.content: Handler = serving(b"")
        self.vendor = Vendor(platform.os, platform.arch, content_url=content_url)
        self.port = free_port()
        self._interface = vendors.serve(vendors.Interface, self.vendor)
        (home / "root.json").write_bytes(repository.first_root)
        (home / "token").touch(mode=0o600)
        (home / "token").write_text(self.vendor.token)
        words = {"interface": vendors.url_of(self._interface), "metadata": web.url, "python": sys.executable}
        (home / "pawld.toml").write_text(CONFIG.format(home=home, port=self.port, **words))
        self.settings = load(home / "pawld.toml", {})

    def offer(self, version: str, build: bytes | None = None, **said: Any) -> bytes:
        """Sign and ship *build* (a healthy agent, unless it is given) as *version*; *said* changes its record."""
        data = packed(Release(version)) if build is None else build
        self.sequence += 1
        platform = {"platform": self.platform.os, "arch": self.platform.arch}
        filename = str(said.get("filename", f"acme-{version}.tar.zst"))
        record = custom(version, self.sequence, **{**platform, "filename": filename, **said})
        self.repository.add(self.target, data, record)
        self.repository.publish()
        self.vendor.publish(version, filename, data)
        self.content = serving(data)
        return data

    def update(self) -> Outcome:
        """Run one real cycle."""
        with self.opened() as host:
            return host.cycle("acme", Quiet()).update()

    def opened(self) -> AbstractContextManager[Host]:
        return opened_for_change(self.settings)

    def be_patient(self) -> None:
        """Give processes that read the file the time that a busy machine and a large build take."""
        config = self.home / "pawld.toml"
        config.write_text(CONFIG_SHORT.sub(r'\1 = "1m"', config.read_text()))

    def stop(self) -> None:
        """Stop the agent and the vendor."""
        with self.opened() as host:
            host.agent("acme").service.stop()
        self._interface.shutdown()
        self._interface.server_close()

    @property
    def root(self) -> Path:
        return self.home / "opt" / "acme"

    @property
    def answer(self) -> str:
        """What the agent itself says, past everything that is ours."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
            return str(answer.read().decode().strip())

    def unverified(self) -> list[str]:
        """What lies among the downloads."""
        return sorted(one.name for one in (self.root / ".pawld").iterdir() if one.suffix == ".unverified")

    def slots(self) -> dict[str, str]:
        """Every slot with the digest of all that is in it."""
        return {one.name: _digest(one) for one in sorted((self.root / "versions").iterdir())}

    def elsewhere(self) -> list[str]:
        """Every path of the sandbox where nothing but a person may write."""
        ours = (self.root / "versions", self.root / ".pawld", self.home / "state", self.home / "pid")
        return sorted(
            str(one) for one in self.home.parent.rglob("*") if not any(one.is_relative_to(place) for place in ours)
        )


@contextmanager
def besieged(home: Path) -> Iterator[Besieged]:
    """Yield a host with version 1.0.0 installed and running; the agent is stopped at the end."""
    repository = TufRepository()

    def content(asked: Asked, wire: Wire) -> None:
        host.content(asked, wire)

    with static_web(repository.files) as web, raw_server(content) as server:
        host = Besieged(home, repository, web, server.url)
        try:
            host.offer("1.0.0")
            host.update()
            yield host
        finally:
            host.stop()


def packed(release: Release) -> bytes:
    """The demonstration's agent as a small archive."""
    return release.packed(b"ballast")


def tarred(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
    """A tar.gz of *members*: name, content and what else its header says."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data, more in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _digest(slot: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(slot.rglob("*")):
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        digest.update(f"{path.relative_to(slot)} {path.lstat().st_mode:o} {len(content)}\n".encode() + content)
    return digest.hexdigest()
