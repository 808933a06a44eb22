"""The scripts of ``packaging/``, run as a person runs them; they need the rig ``freezer``."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LIMIT = 600.0  # seconds for one build; half a minute on an idle machine


@dataclass(frozen=True, slots=True)
class Frozen:
    """Two builds from the same sources; *program* is the first one's."""

    source: Path
    program: Path
    one: Path
    other: Path


def snapshot(place: Path) -> Path:
    """Copy what is built, so that nothing changes under two builds of the same sources."""
    for name in ("src", "packaging", "systemd"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "LICENSE", place)
    return place


def begun(source: Path, script: str, *arguments: str | Path) -> "subprocess.Popen[bytes]":
    """Start one of the scripts of the *source*."""
    return subprocess.Popen(
        [sys.executable, str(source / "packaging" / script), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(source / "src")},
    )


def ended(*processes: "subprocess.Popen[bytes]") -> None:
    """Wait until all of them ended well."""
    assert [process.wait(_LIMIT) for process in processes] == [0] * len(processes)
