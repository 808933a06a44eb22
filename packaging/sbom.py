"""Write the bill of materials of this build: every package that runs in pawld, with its version and hashes.

    python packaging/sbom.py OUT.cdx.json

CycloneDX 1.6 as JSON, by ``cyclonedx-py`` and validated by it, from the lock and nothing else: the same lock gives the
same file. Which of the locked packages run in pawld, and not only in its tests, is read off the installed metadata.
"""

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "tests" / "requirements.txt"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def main(arguments: Sequence[str]) -> int:
    """Write the file; 0 where it is valid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args(arguments).out
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "-", "--pyproject", str(ROOT / "pyproject.toml")]
    options = ["--output-reproducible", "--sv", "1.6", "--of", "JSON", "--validate", "-o", str(out)]
    return subprocess.run([*command, *options], input=runtime_lock(), text=True, check=False).returncode


def runtime_lock() -> str:
    """Return the lock's entries, hashes included, of the packages that pawld needs to run here."""
    wanted = set(closure(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]))
    entries = re.split(r"\n(?=\S)", LOCK.read_text("utf-8"))
    found = {canonical(name[0]): entry for entry in entries if (name := _NAME.match(entry))}
    missing = wanted - found.keys()
    if missing:
        raise SystemExit(f"The lock does not have: {', '.join(sorted(missing))}.")
    return "\n".join(found[name] for name in sorted(wanted)) + "\n"


def closure(direct: Sequence[str]) -> Iterator[str]:
    """Yield the canonical names of the requirements *direct*, and of all that they need, in this environment."""
    waiting, seen = [(line, "") for line in direct], set[tuple[str, str]]()
    while waiting:
        line, asked = waiting.pop()
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": asked}):
            continue
        name = canonical(need.name)
        yield name
        for extra in {"", *need.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            waiting += [(one, extra) for one in _needed_by(name)]


def _needed_by(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        raise SystemExit(f"{name} is not installed, so what it needs is not known.") from None


def canonical(name: str) -> str:
    """Return the name as indexes spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
