"""pawld as a service of a real systemd: installed by its own command, with a publisher and an agent of its own unit.

Everything lies inside the throw-away host but the publisher's directory, which both sides see.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

from support import paced_web
from support.configuration import agent_of
from support.publishing import founded, incoming, released, tar
from support.systemd import SystemdHost

from pawld.publish.ingest import Incoming
from pawld.publish.publication import publish
from pawld.system.process import Finished

PORT = 8099
UNIT = "acme-agent.service"
PAWLD = "/usr/local/bin/pawld"
BALLAST = 400 * 1024  # bytes; at the slow pace a download takes seconds

AGENT = """
[Service]
ExecStart=/opt/acme/current/bin/acme
Restart=always
RestartSec=100ms
StartLimitIntervalSec=0
"""

CONFIG = f"""
[updater]
check_every = "1h"
{agent_of("acme", "/opt/acme", f"http://127.0.0.1:{PORT}", "/etc/pawld/root.json", product="acme-agent")}"""
CONFIG += """qualify = ["{slot}/bin/acme", "--version"]
[agents.acme.service]
type = "systemd"
unit = "acme-agent.service"
timeout = "20s"
[agents.acme.health]
probation = "2s"
checks = [
  { type = "service", every = "1s" },
  { type = "command", command = ["{current}/bin/acme", "health"], every = "1s" },
]
"""


@dataclass
class PawldHost:
    """The host, with what a test does to it."""

    host: SystemdHost
    home: Path
    releases: int = 0

    def release(self, *, healthy: bool = True) -> str:
        """Publish the next build of the agent, and return its version; a sick one fails its own health command."""
        self.releases += 1
        version = f"1.{self.releases}.0"
        program = f"""\
            #!/bin/sh
            case "$1" in
              --version) echo {version} ;;
              health) exit {0 if healthy else 1} ;;
              *) exec sleep infinity ;;
            esac
            """
        files = {"bin/acme": dedent(program).encode(), "share/ballast": Random(version).randbytes(BALLAST)}
        self.publish(incoming(version), tar(files, "w:gz"))
        return version

    def publish(self, build: Incoming, data: bytes) -> None:
        released(self.home / "publisher", build, data)

    def pace(self, seconds: float) -> None:
        """Let the server pause for so long after each block."""
        (self.home / "pace").write_text(str(seconds))

    def configure(self, more: str = "", text: str = CONFIG) -> None:
        self.host.path("/etc/pawld").mkdir(exist_ok=True)
        self.host.path("/etc/pawld/pawld.toml").write_text(text + dedent(more))

    def drop_in(self, unit: str, text: str) -> None:
        directory = self.host.path(f"/etc/systemd/system/{unit}.d")
        directory.mkdir(exist_ok=True)
        (directory / "50-test.conf").write_text(dedent(text))
        assert self.host.run(["systemctl", "daemon-reload"]).ok

    def pawld(self, *words: str) -> Finished:
        return self.host.run([PAWLD, *words], limit=timedelta(seconds=90))

    def ask(self, *words: str) -> dict[str, Any]:
        """Run a command with ``--json`` and return the first agent's document."""
        finished = self.pawld("--json", *words)
        document: dict[str, Any] = json.loads(finished.output or "{}")
        assert "agents" in document, (finished, self.log())
        return document["agents"][0]  # type: ignore[no-any-return]  # a document of JSON

    def state(self) -> str:
        return str(self.ask("status")["state"])

    def property(self, name: str, unit: str = "pawld.service") -> str:
        shown = self.host.run(["systemctl", "show", unit, f"--property={name}", "--value"])
        return shown.output.strip()

    def log(self, unit: str = "pawld.service") -> str:
        return self.host.run(["journalctl", "--no-pager", f"--unit={unit}", "--lines=60"]).output

    def eventually(self, holds: Callable[[], Any], seconds: float = 25) -> Any:
        """Wait until it holds; the journal is the message where it does not."""
        end = time.monotonic() + seconds
        while not (answer := holds()):
            assert time.monotonic() < end, self.log()
            time.sleep(0.1)
        return answer


@contextmanager
def pawld_host(host: SystemdHost, home: Path) -> Iterator[PawldHost]:
    """Prepare the host: the program, an agent's unit and a release server; take everything away again at the end."""
    this = PawldHost(host, home)
    publish(founded(home / "publisher", products=("acme-agent", "pawld")))
    public = home / "publisher" / "public"
    this.pace(0)
    launcher = f'#!/bin/sh\nexec {sys.executable} -P -m pawld "$@"\n'
    host.path(PAWLD).write_text(launcher)
    host.path(PAWLD).chmod(0o755)
    this.configure()
    host.path("/etc/pawld/root.json").write_bytes((public / "metadata" / "1.root.json").read_bytes())
    host.unit(UNIT, AGENT)
    serve = [sys.executable, paced_web.__file__, str(public), str(PORT), str(home / "pace")]
    assert host.run(["systemd-run", "--quiet", "--collect", "--unit=releases", *serve]).ok
    try:
        yield this
    finally:
        clean_up(host)


def clean_up(host: SystemdHost) -> None:
    units = ["pawld.timer", "pawld-once", "pawld-self-pawld", "pawld-deadman-pawld.timer", "pawld-deadman-acme.timer"]
    host.run(["systemctl", "kill", "--signal=KILL", "pawld", "pawld-once", "pawld-self-pawld", "pawld-recover"])
    host.run([PAWLD, "service", "uninstall"])
    host.run(["systemctl", "stop", "releases", UNIT, *units])
    host.run(["systemctl", "reset-failed"])
    host.run(["sh", "-c", "rm -rf /etc/systemd/system/pawld* /etc/pawld /var/lib/pawld /opt/acme /opt/pawld"])
    host.run(["systemctl", "daemon-reload"])
