"""Where a rehearsal takes place: a scratch root beside the agent's own, a server on loopback, and a unit of its own."""

import os
import secrets
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pawld.drill.program import Build
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.models import Agent, Settings
from pawld.system.faults import host_faults
from pawld.system.files import make_directory
from pawld.system.platform import detect
from pawld.system.process import run
from pawld.values import dataclass

AGENT = "drill"
_UNITS = Path("/run/systemd/system")  # of this boot alone: nothing of it outlives the host's next start
_UNIT = """\
[Unit]
Description=A rehearsal by pawld; it does nothing
StartLimitIntervalSec=0
[Service]
ExecStart={root}/current/agent run
"""


@dataclass(frozen=True, slots=True)
class Ground:
    """One rehearsal's place.

    Attributes:
        unit: the scratch unit; None where commands stand for a service.
        url: of the server that has the builds.
    """

    home: Path
    name: str
    unit: str | None
    url: str

    @property
    def manager(self) -> str:
        """What runs the rehearsal's agent."""
        return "systemd" if self.unit else "commands"

    def publish(self, build: Build) -> Settings:
        """Put the build on the server, and return settings that pin it."""
        (self.home / "builds" / build.sha256).write_bytes(build.data)
        tree: dict[str, Any] = {
            "updater": {"state_dir": str(self.home / "state"), "host_id": self.name},
            "agents": {AGENT: self._agent(build)},
        }
        return Settings.model_validate(tree)

    def _agent(self, build: Build) -> dict[str, Any]:
        health = {"type": "command", "command": ["{current}/agent", "health"], "every": "1s"}
        return {
            "product": self.name,
            "root": str(self.home / "root"),
            "source": {"type": "manifest", "url": f"{self.url}/{build.sha256}"},
            "trust": {"type": "pinned_sha256", "sha256": {str(detect()): build.sha256}, "version": build.version},
            "install": {"type": "file", "name": "agent", "reserve": "1MiB"},
            "service": self._service(),
            "health": {"probation": "2s", "checks": [{"type": "service", "every": "1s"}, health]},
        }

    def _service(self) -> dict[str, Any]:
        if self.unit:
            return {"type": "systemd", "unit": self.unit, "timeout": "20s"}
        pid = str(self.home / "agent.pid")
        verbs = {"start": "start", "stop": "stop", "is_running": "status"}
        return {"type": "command", "timeout": "20s"} | {
            key: ["{current}/agent", verb, pid] for key, verb in verbs.items()
        }


@contextmanager
def prepared(agent: Agent) -> Iterator[Ground]:
    """Make a ground on the agent's file system, with its kind of service manager; leave nothing of it behind.

    Raises:
        OperatorError: usage, on a system where no rehearsal is possible.
        TransientError: the host's fault: no permission, a read-only disk, no space.
    """
    if sys.platform == "win32":
        raise OperatorError(Reason.USAGE, "A rehearsal needs a POSIX shell, which this host does not have.")
    name = f"pawld-drill-{secrets.token_hex(4)}"
    home = _nearest(agent.root.parent) / f".{name}"
    with host_faults(f"Making the scratch root {home}"):
        make_directory(home / "builds", mode=0o700)
    try:
        with _served(home / "builds") as url, _unit(name, home, agent) as unit:
            yield Ground(home, name, unit, url)
    finally:
        with host_faults(f"Removing the scratch root {home}"):
            shutil.rmtree(home)


def _nearest(directory: Path) -> Path:
    """The directory, or the nearest one above it that is there: the agent may not be installed yet."""
    return next(one for one in (directory, *directory.parents) if one.is_dir())


@contextmanager
def _served(directory: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _unit(name: str, home: Path, agent: Agent) -> Iterator[str | None]:
    """Have a unit of our own where systemd runs the agent and lets us; it is stopped and removed at the end."""
    wanted = agent.service is not None and agent.service.type == "systemd"
    if not wanted or not os.access(_UNITS, os.W_OK):
        yield None
        return
    unit = f"{name}.service"
    with host_faults(f"Writing the unit {unit}"):
        (_UNITS / unit).write_text(_UNIT.format(root=home / "root"), encoding="utf-8")
    try:
        run(["systemctl", "daemon-reload"])
        yield unit
    finally:
        run(["systemctl", "stop", unit])
        (_UNITS / unit).unlink(missing_ok=True)
        run(["systemctl", "daemon-reload"])
        run(["systemctl", "reset-failed", unit])
