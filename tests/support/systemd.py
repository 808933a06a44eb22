"""A host whose PID 1 is a real systemd, booted in half a second and thrown away after the tests.

``host.run`` runs a command inside; ``host.path`` is a file inside as seen from here. ``host.shared`` is one directory
that both see at the same path. Needs ``@pytest.mark.rig("systemd")``.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from support.rigs import missing

from pawld.system.process import Finished, run

_SCRIPT = Path(__file__).parent.parent / "rigs" / "systemd-host.sh"
_BOOT = 20.0  # seconds; it takes half a second on an idle machine


@dataclass(frozen=True, slots=True)
class SystemdHost:
    """The booted host."""

    pid: int
    shared: Path

    def run(self, command: Sequence[str], *, limit: timedelta = timedelta(seconds=60)) -> Finished:
        """Run *command* inside, to its end."""
        enter = ["nsenter", "-t", str(self.pid), "-a", "--wd=/"]
        return run([*enter, *command], limit=limit)

    def path(self, path: str | Path) -> Path:
        """Return where a file of the host is seen from here."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def unit(self, name: str, text: str) -> None:
        """Write a unit and have systemd read it."""
        self.path(f"/etc/systemd/system/{name}").write_text(text)
        assert self.run(["systemctl", "daemon-reload"]).ok


@pytest.fixture(scope="session")
def systemd_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdHost]:
    """Boot the host once for all tests of this run."""
    reason = missing("systemd")
    if reason is not None:
        pytest.skip(f"the rig systemd is missing: {reason}")
    state = tmp_path_factory.mktemp("systemd-host")
    shared = tmp_path_factory.mktemp("shared")
    with (state / "console").open("wb") as console:
        process = subprocess.Popen(
            [str(_SCRIPT), str(state), str(shared)], stdin=subprocess.DEVNULL, stdout=console, stderr=console
        )
    try:
        yield _booted(process, shared, state)
    finally:
        process.kill()
        process.wait()
        _remove_groups(Path((state / "cgroup").read_text().strip()))


def _booted(process: "subprocess.Popen[bytes]", shared: Path, state: Path) -> SystemdHost:
    end = time.monotonic() + _BOOT
    while time.monotonic() < end and process.poll() is None:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children:
            host = SystemdHost(int(children[0]), shared)
            if host.run(["systemctl", "is-system-running", "--wait"]).output.strip() in ("running", "degraded"):
                return host
        time.sleep(0.05)
    raise AssertionError(f"systemd did not boot: {(state / 'console').read_text(errors='replace')[-2000:]}")


def _remove_groups(group: Path) -> None:
    """Remove the control groups, innermost first, once the killed processes have left them."""
    for _ in range(100):
        for directory, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                for pid in (Path(directory) / "cgroup.procs").read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
                Path(directory).rmdir()
        if not group.exists():
            return
        time.sleep(0.05)
