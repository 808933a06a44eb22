"""pawld's own MSI, made by wixl and installed by msiexec: the service runs, is upgraded, and goes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from support.wine import ROOT, WindowsPython, windows_path

pytestmark = [pytest.mark.rig("wine_python"), pytest.mark.timeout(900)]

# Stands in for what PyInstaller makes: a program with a Python of its own, whose children are itself. pywin32 looks for
# its DLL elsewhere in a frozen program, so it is loaded before.
LAUNCHER = r"""
#include <windows.h>
#include <stdlib.h>
typedef int (*Main)(int, wchar_t **);
int wmain(int count, wchar_t **words) {
  wchar_t *given[64] = {words[0], L"-P", L"-c",
    L"import sys, pywintypes; sys.frozen = True; from pawld.cli.main import script; script()"};
  _wputenv(L"PYTHONHOME=" HOME);
  SetDllDirectoryW(HOME);
  HMODULE python = LoadLibraryW(HOME L"\\python311.dll");
  Main run = python ? (Main)(void *)GetProcAddress(python, "Py_Main") : 0;
  for (int i = 1; i < count && i < 60; i++) given[i + 3] = words[i];
  return run ? run(count + 3, given) : 101;
}
"""
CONFIG = """
# mine
[agents.acme]
root = 'C:\\acme'
[agents.acme.source]
type = "manifest"
url = "http://127.0.0.1:9/acme.tar"
[agents.acme.trust]
type = "pinned_sha256"
version = "1.0.0"
sha256 = { "windows-x86_64" = "0000000000000000000000000000000000000000000000000000000000000000" }
"""
STATE = """
from pawld.system.windows_services import HostServices
try:
    seen = HostServices().query("pawld")
    print(seen.state, seen.start_type, seen.pid, seen.command_line)
except OSError as error:
    print("none", error.winerror)
"""

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
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, (self.service(), self.log.exists() and self.log.read_text())
            time.sleep(0.2)


def packed(frozen: Path, out: Path, version: str) -> None:
    script = ROOT / "packaging/windows.py"
    subprocess.run([sys.executable, str(script), str(frozen), str(out), "--version", version], check=True)


@pytest.fixture
def host(windows_python: WindowsPython, tmp_path: Path) -> Iterator[Host]:
    frozen = tmp_path / "frozen"
    (frozen / "_internal").mkdir(parents=True)
    (tmp_path / "launcher.c").write_text(LAUNCHER)
    home = windows_path(windows_python.place / "py").replace("\\", "\\\\")
    words = ["-O2", "-municode", "-s", f'-DHOME=L"{home}"', "-o", str(frozen / "pawld.exe")]
    subprocess.run(["x86_64-w64-mingw32-gcc", *words, str(tmp_path / "launcher.c")], check=True)
    for version in ("0.1.0", "0.2.0"):
        (frozen / "_internal" / f"of-{version}.txt").write_text(version)
        packed(frozen, tmp_path, version)
        (frozen / "_internal" / f"of-{version}.txt").unlink()
    made = Host(windows_python, tmp_path)
    made.config.parent.mkdir(parents=True, exist_ok=True)
    made.config.write_text(CONFIG)
    yield made
    made.stop()
    for version in ("0.2.0", "0.1.0"):
        made.remove(version)
    subprocess.run(["rm", "-rf", str(made.config.parent)], check=True)


def test_the_service_runs_after_one_command_and_the_configuration_stays_through_upgrade_and_removal(
    host: Host,
) -> None:
    assert host.install("0.1.0") == 0
    host.eventually(lambda: host.service()[0] == "4")
    _, start, before, line = host.service()
    assert (start, line.strip()) == ("2", r"C:\pawld\pawld.exe run --service")
    assert (host.program.parent / "_internal/of-0.1.0.txt").exists()

    assert host.install("0.2.0") == 0
    assert host.service()[1] == "2", "it is there, and starts at boot"
    host.restart()
    host.eventually(lambda: host.service()[0] == "4")
    assert host.service()[2] != before
    assert (host.program.parent / "_internal/of-0.2.0.txt").exists()
    assert host.config.read_text() == CONFIG

    host.stop()
    assert host.remove("0.2.0") == 0
    host.eventually(lambda: host.service() == ["none", "1060"])
    assert not host.program.exists()
    assert host.config.read_text() == CONFIG
    assert (host.config.parent / "pawld.db").exists()


@pytest.mark.long
def test_without_a_configuration_it_is_installed_all_the_same_and_waits_for_one(host: Host) -> None:
    host.config.unlink()
    assert host.install("0.1.0") == 0
    host.eventually(lambda: host.service()[0] == "4")
    assert "pawld.toml yet; it is waited for" in host.log.read_text()
    host.config.write_text(CONFIG)
    host.eventually((host.config.parent / "pawld.db").exists)


@pytest.mark.long
def test_the_frozen_program_is_installed_and_serves(windows_python: WindowsPython, tmp_path: Path) -> None:
    freezing = windows_python.run(["packaging/freeze.py", windows_path(tmp_path)], limit=timedelta(minutes=10))
    assert freezing.ok, freezing.output[-4000:]
    packed(tmp_path / "pawld", tmp_path, "0.3.0")
    made = Host(windows_python, tmp_path)
    made.config.parent.mkdir(parents=True, exist_ok=True)
    made.config.write_text(CONFIG)
    try:
        assert made.install("0.3.0") == 0
        made.eventually(lambda: made.service()[0] == "4")
    finally:
        assert made.remove("0.3.0") == 0
        subprocess.run(["rm", "-rf", str(made.config.parent)], check=True)
    made.eventually(lambda: made.service() == ["none", "1060"])
