"""The Windows of Wine as a host for pawld: its own MSI, its service, its configuration and its log."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from support.wine import ROOT, WindowsPython, windows_path

from pawld.system.process import Finished, run

STATE = """
from pawld.system.windows_services import HostServices
try:
    seen = HostServices().query("pawld")
    print(seen.state, seen.start_type, seen.pid, seen.command_line)
except OSError as error:
    print("none", error.winerror)
"""

STATE_DIRECTORY = r"C:\users\Public\pawld"  # for the services of Wine; its consoles have another ProgramData
STOPPED = "from pawld.service.registration_windows import WindowsRegistration as W; W(('pawld',)).stop()"
STARTED = STOPPED.replace("stop", "start")


@dataclass(frozen=True)
class Host:
    """The Windows of Wine."""

    python: WindowsPython
    packages: Path

    @property
    def drive(self) -> Path:
        return self.python.place / "prefix/drive_c"

    @property
    def config(self) -> Path:
        return self.drive / "users/Public/pawld/pawld.toml"  # what Wine's services call ProgramData

    @property
    def log(self) -> Path:
        return self.config.parent / "pawld.log"

    @property
    def program(self) -> Path:
        return self.drive / "pawld/pawld.exe"

    def pawld(self, *words: str) -> Finished:
        """Run the installed program where its service has its configuration, and return how it ended."""
        line = f'. "{self.python.place}/env.sh"; : | wine "$@"'
        own = {"PAWLD_CONFIG": rf"{STATE_DIRECTORY}\pawld.toml", "PAWLD_UPDATER__STATE_DIR": STATE_DIRECTORY}
        ended = run(
            ["bash", "-c", line, "bash", str(self.program), *words], limit=timedelta(minutes=3), environment=own
        )
        assert ended.ok, (ended, self.log.exists() and self.log.read_text())
        return ended

    def msiexec(self, *words: str) -> int:
        """Run it to its end; its service holds pipes open, so it is given none."""
        line = f'. "{self.python.place}/env.sh"; exec wine msiexec "$@" /qn /norestart </dev/null >/dev/null 2>&1'
        return subprocess.run(["bash", "-c", line, "bash", *words], check=False, timeout=300).returncode

    def install(self, version: str) -> int:
        """Install it where no name has a space: Wine does not quote a service's program, as Windows does."""
        package = windows_path(self.packages / f"pawld-{version}-x64.msi")
        return self.msiexec("/i", package, r"INSTALLDIR=C:\pawld")

    def remove(self, version: str) -> int:
        return self.msiexec("/x", windows_path(self.packages / f"pawld-{version}-x64.msi"), r"INSTALLDIR=C:\pawld")

    def service(self) -> list[str]:
        return self.python.run(["-c", STATE], limit=timedelta(minutes=1)).output.split(maxsplit=3)

    def restart(self) -> None:
        """Start it again: under Wine the removal of the old product stops what the new one shares with it."""
        self.stop()
        started = self.python.run(["-c", STARTED], limit=timedelta(minutes=2))
        assert started.ok, started

    def stop(self) -> None:
        """Stop it, and wait until it has: Wine's msiexec waits for no service that takes its time."""
        stopped = self.python.run(["-c", STOPPED], limit=timedelta(minutes=2))
        assert stopped.ok, stopped

    def eventually(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 180
        while not holds():
            assert time.monotonic() < end, (self.service(), self.log.exists() and self.log.read_text())
            time.sleep(0.2)


def packed(frozen: Path, out: Path, version: str) -> None:
    script = ROOT / "packaging/windows.py"
    subprocess.run([sys.executable, str(script), str(frozen), str(out), "--version", version], check=True)
