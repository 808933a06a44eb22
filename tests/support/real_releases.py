"""Two consecutive releases of a real native program: ruff, out of PyPI's own wheels, each known by its digest.

They are fetched once by pip, from wherever this machine's pip fetches, and kept in the user's cache.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

OLD, NEW = "0.14.5", "0.14.6"
WHEELS = {
    OLD: "7497d19dce23976bdaca24345ae131a1d38dcfe1b0850ad8e9e6e4fa321a6e19",
    NEW: "167843a6f78680746d7e226f255d920aeed5e4ad9c03258094a2d49d3028b105",
}
_PLATFORM = "manylinux_2_17_x86_64"
_LONGEST = 120  # seconds that pip may take


class UnreachableError(Exception):
    """PyPI, or what stands in for it, did not give a wheel."""


def program(version: str) -> bytes:
    """Return the program out of the wheel of *version*, whose digest was checked."""
    with zipfile.ZipFile(wheel(version)) as archive:
        return archive.read(f"ruff-{version}.data/scripts/ruff")


def wheel(version: str) -> Path:
    """Return the wheel, fetched where it is not in the cache yet."""
    path = _cache() / f"ruff-{version}-py3-none-{_PLATFORM}.manylinux2014_x86_64.whl"
    if not _is_genuine(path, version):
        _fetch(version, path.parent)
    if not _is_genuine(path, version):
        raise UnreachableError(f"the wheel of ruff {version} is another one than it was")
    return path


def missing_releases() -> str | None:
    """Return why the releases cannot be had here, or None."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return "the pinned releases are for linux-x86_64"
    try:
        for version in WHEELS:
            wheel(version)
    except UnreachableError as error:
        return str(error)
    return None


def _cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = home / "pawld-tests"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _is_genuine(path: Path, version: str) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == WHEELS[version]


def _fetch(version: str, into: Path) -> None:
    pip = [sys.executable, "-m", "pip"] if find_spec("pip") else [shutil.which("pip") or "pip"]
    wanted = ["download", "--quiet", "--no-deps", "--only-binary=:all:", f"--platform={_PLATFORM}", f"ruff=={version}"]
    try:
        finished = subprocess.run(
            [*pip, *wanted, "--dest", str(into)], capture_output=True, text=True, timeout=_LONGEST, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnreachableError(f"pip could not fetch ruff {version}: {error}") from error
    if finished.returncode:
        raise UnreachableError(f"pip could not fetch ruff {version}: {finished.stderr.strip()[-300:]}")
