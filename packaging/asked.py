"""What a person asks of a script that makes packages: of which frozen pawld, whereto, and as which version."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent.parent / "src/pawld/__init__.py"


@dataclass(frozen=True)
class Asked:
    """The words of the command line.

    Attributes:
        frozen: the directory that ``freeze.py`` made.
        out: the directory of the packages.
        version: what to call them; by default the source's own.
    """

    frozen: Path
    out: Path
    version: str


def asked(description: str | None) -> Asked:
    """Read the command line of this process; *description* is for its ``--help``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frozen", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--version", help="what to call it; default: the source's own version")
    given = parser.parse_args()
    return Asked(given.frozen.resolve(), given.out.resolve(), given.version or _source_version())


def _source_version() -> str:
    found = re.search(r'__version__ = "(.+)"', _SOURCE.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("src/pawld/__init__.py names no version")
    return found[1]
