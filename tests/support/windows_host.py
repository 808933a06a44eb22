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

# Stands in for what PyInstaller makes: a program with a Python of its own, whose children are itself. Its code lies in
# ../src, or is the source's own. pywin32 looks for its DLL elsewhere in a frozen program, so it is loaded before.
LAUNCHER = r"""
#include <windows.h>
#include <stdlib.h>
#include <stdio.h>
typedef int (*Main)(int, wchar_t **);
int wmain(int count, wchar_t **words) {
  wchar_t code[600], own[512], *given[64] = {words[0], L"-P", L"-B", L"-c",
    L"import sys, pywintypes; sys.frozen = True; from pawld.cli.main import script; script()"};
  GetModuleFileNameW(0, own, 500);
  *wcsrchr(own, L'\\') = 0;
  *wcsrchr(own, L'\\') = 0;
  swprintf(code, 600, L"PYTHONPATH=%ls\\src", own);
  _wputenv(code);
  _wputenv(L"PYTHONHOME=" HOME);
  SetDllDirectoryW(HOME);
  HMODULE python = LoadLibraryW(HOME L"\\python311.dll");
  Main run = python ? (Main)(void *)GetProcAddress(python, "Py_Main") : 0;
  for (int i = 1; i < count && i < 59; i++) given[i + 4] = words[i];
  return run ? run(count + 4, given) : 101;
}
"""
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


def launcher(python: WindowsPython, place: Path) -> bytes:
    """Return the program, made below *place*."""
    (place / "launcher.c").write_text(LAUNCHER)
    home = windows_path(python.place / "py").replace("\\", "\\\\")
    words = ["-O2", "-municode", "-s", f'-DHOME=L"{home}"', "-o", str(place / "pawld.exe"), str(place / "launcher.c")]
    subprocess.run(["x86_64-w64-mingw32-gcc", *words], check=True)
    return (place / "pawld.exe").read_bytes()
