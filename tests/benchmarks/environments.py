"""Virtual environments: pawld as a user installs it, and its peers apart from it and, where needed, each other."""

import os
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PEERS = ("tuf==7.0.1", "urllib3>=2", "httpx>=0.28,<1", "uv>=0.8")
TUFUP = ("tufup==0.10.0",)  # wants an older tuf


def with_packages(place: Path, packages: Sequence[str]) -> Path:
    """Return the ``bin`` of an environment at *place* with *packages*, made where it is not yet there."""
    done = place / "done"
    if not done.exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin" / "pip", "install", "--quiet", *packages], check=True)
        done.touch()
    return place / "bin"


def pawld_at(home: Path) -> Path:
    """Return the ``bin`` of a fresh installation of this checkout, compiled as pip compiles."""
    place = with_packages(home / "pawld", [str(CHECKOUT)])
    reinstall = ["--quiet", "--no-deps", "--force-reinstall", str(CHECKOUT)]
    subprocess.run([place / "pip", "install", *reinstall], check=True)
    return place


def environment() -> dict[str, str]:
    """Return what every command is run with: nothing of whoever measures."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
