"""A CPython for Windows under Wine, assembled once for the run; needs the rig ``wine``.

PAWLD_WINE names a directory in which one was assembled before, so that it is not made again.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from pawld.system.process import Finished, run

ROOT = Path(__file__).parents[2]
_SCRIPT = ROOT / "tests/rigs/wine-python.sh"
_ASSEMBLED = timedelta(minutes=8)
_PACKAGES = (
    *(
        "apscheduler",
        "cryptography",
        "filelock",
        "httpcore",
        "isal",
        "py-minisign",
        "pydantic",
        "pywin32",
        "rich",
        "semver",
    ),
    *("securesystemslib", "tuf", "tzdata", "zstandard"),
    *("hypothesis", "pytest", "pytest-httpserver", "pytest-timeout", "trustme"),
)
_LOCKED = re.compile(r"^([A-Za-z0-9_.-]+==[^ ;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WindowsPython:
    """The assembled interpreter."""

    place: Path

    def run(
        self, arguments: Sequence[str], *, limit: timedelta, environment: Mapping[str, str] | None = None
    ) -> Finished:
        """Run it in the source's directory; its streams are pipes, as it needs them to be."""
        words = ' "$@" 2>&1 | cat'
        line = f'. "{self.place}/env.sh"; : | wine "{self.place}/py/python.exe"{words}'
        code = f"set -o pipefail; cd '{ROOT}'; {line}"
        paths = ";".join(windows_path(ROOT / one) for one in ("src", "tests"))
        given = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1", **(environment or {})}
        return run(["bash", "-c", code, "bash", *arguments], limit=limit, environment=given)

    def install(self, package: str) -> None:
        """Have pip install one package more, of the version that this host's tests are locked to."""
        locked = next(one for one in _locked() if one.startswith(f"{package}=="))
        words = ["-m", "pip", "install", "-q", "--no-warn-script-location", locked]
        own = {"PIP_CONFIG_FILE": "nul", "PIP_FIND_LINKS": "", "PIP_CERT": ""}  # those of this host are of no use there
        installed = self.run(words, limit=_ASSEMBLED, environment=own)
        assert installed.ok, installed


def windows_path(path: Path) -> str:
    """Return how Windows programs under Wine call *path*."""
    return "Z:" + str(path).replace("/", "\\")


def _locked() -> list[str]:
    return _LOCKED.findall((ROOT / "tests/requirements.txt").read_text())


def _with_pawld(place: Path) -> WindowsPython:
    """Have every process of it find pawld; a service is given no environment of ours."""
    (place / "py/Lib/site-packages/pawld.pth").write_text(windows_path(ROOT / "src"))
    return WindowsPython(place)


@pytest.fixture(scope="session")
def windows_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WindowsPython]:
    ready = os.environ.get("PAWLD_WINE")
    if ready:
        yield _with_pawld(Path(ready))
        return
    place = tmp_path_factory.mktemp("wine")
    constraints = place / "constraints.txt"
    constraints.write_text("\n".join(_locked()))
    made = run([str(_SCRIPT), str(place), "-c", windows_path(constraints), *_PACKAGES], limit=_ASSEMBLED)
    assert made.ok, made
    yield _with_pawld(place)
    subprocess.run(["bash", "-c", f'. "{place}/env.sh"; wineserver -k'], check=False)
    shutil.rmtree(place, ignore_errors=True)
