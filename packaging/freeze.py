"""Freeze pawld: one directory with its own Python, the same bytes each time it is built from the same sources.

    python packaging/freeze.py OUT        makes OUT/pawld/, with the program in it

It runs under the Python that is to be frozen, with pawld and PyInstaller installed; PyInstaller builds for the system
that it runs on and for no other.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EPOCH = "1735689600"  # seconds; 2025-01-01, for whatever notes a time, unless SOURCE_DATE_EPOCH says another


def freeze(out: Path) -> Path:
    """Build below *out*, and return the directory of the program."""
    environment = os.environ | {
        "PYTHONHASHSEED": "1",
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with tempfile.TemporaryDirectory() as work:
        environment["PYINSTALLER_CONFIG_DIR"] = work  # its cache; two builds may run at once
        options = ["--noconfirm", "--log-level=ERROR", f"--distpath={out}", f"--workpath={work}"]
        subprocess.run(
            [sys.executable, "-m", "PyInstaller", *options, str(HERE / "pawld.spec")],
            check=True,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    made = out / "pawld"
    _strip(made)
    for path in [made, *made.rglob("*")]:
        follow = os.utime not in os.supports_follow_symlinks  # on Windows it can do nothing else, and makes no links
        os.utime(path, (int(environment["SOURCE_DATE_EPOCH"]),) * 2, follow_symlinks=follow)
    return made


def _strip(made: Path) -> None:
    """Take the symbols out of what has them; a third of the size on Linux."""
    strip = shutil.which("strip")
    if sys.platform != "linux" or strip is None:
        return
    for path in sorted(made.rglob("*.so*")):
        if path.is_file() and not path.is_symlink():
            subprocess.run([strip, "--strip-unneeded", str(path)], check=False, capture_output=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    print(freeze(parser.parse_args().out.resolve()))
