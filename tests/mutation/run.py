"""Takes one defence out at a time, and expects the tests that show it to go red: ``python tests/mutation/run.py``.

The defences are in ``defences.toml``: the text that is one, what stands there without it, and the tests that must fail
then. Nothing here touches the tree itself: everything happens in a copy, which also holds python-tuf, so that what is
taken from it is shown as well. A row is green, and the run fails, where no named test noticed the loss.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
TREE = HERE.parents[1]
LIMIT = 300  # seconds; what hangs without its defence has shown it too
MEMORY = 6 << 30  # bytes of addresses for each test; without a cap one would take the machine's, and be killed for it
_TOLD = {True: "red", False: "GREEN"}


@dataclass(frozen=True, slots=True)
class Defence:
    """One row.

    Attributes:
        threat: the row of the README's table that it belongs to.
        file: below ``src/pawld``, or ``tuf/…`` for the library.
        old: the text that is the defence; it stands in the file exactly once.
        new: what stands there without it.
        tests: at least one of these fails then.
    """

    threat: str
    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def place(self, source: Path) -> Path:
        """Return the file in a copy whose packages lie in *source*."""
        return source / (self.file if self.file.startswith("tuf/") else f"pawld/{self.file}")


def defences() -> list[Defence]:
    """Read the table."""
    rows = tomllib.loads((HERE / "defences.toml").read_text("utf-8"))["defence"]
    return [Defence(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def main(arguments: Sequence[str]) -> int:
    """Run the rows whose threat or name holds the given words, or all; 0 where each of them went red."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    words = parser.parse_args(arguments).words
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    rows = [one for one in defences() if not words or any(word in f"{one.threat} {one.name}" for word in words)]
    with copied() as tree:
        if not _sound(tree, rows):
            return 1
        answers = [_told(tree, one) for one in rows]
    sys.stdout.write(f"{sum(answers)} of {len(rows)} defences are missed by a test when they are gone.\n")
    return 0 if all(answers) else 1


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of sources and tests, with python-tuf beside pawld."""
    tuf = find_spec("tuf")
    if tuf is None or tuf.origin is None:
        raise SystemExit("tuf is not installed")
    kept_out = shutil.ignore_patterns("__pycache__", "*.pyc")
    with tempfile.TemporaryDirectory(prefix="pawld-mutation-") as made:
        tree = Path(made)
        for name in ("src", "tests"):
            shutil.copytree(TREE / name, tree / name, ignore=kept_out)
        shutil.copy(TREE / "pyproject.toml", tree)
        shutil.copy(TREE / "README.md", tree)
        shutil.copytree(Path(tuf.origin).parent, tree / "src" / "tuf", ignore=kept_out)
        yield tree


@contextmanager
def without(tree: Path, defence: Defence) -> Iterator[None]:
    """Take the defence out of *tree* for a while; ``ValueError`` where its text does not stand there once."""
    path = defence.place(tree / "src")
    text = path.read_text("utf-8")
    if text.count(defence.old) != 1:
        raise ValueError(f"{defence.name}: its text stands {text.count(defence.old)} times in {defence.file}")
    path.write_text(text.replace(defence.old, defence.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


def pytest_in(tree: Path, tests: Sequence[str], *more: str) -> subprocess.CompletedProcess[str] | None:
    """Run *tests* in the copy; None where they did not end in time."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", *more, *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    try:
        return subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return None


def _sound(tree: Path, rows: Sequence[Defence]) -> bool:
    """With every defence in place all the named tests pass, or their redness would show nothing."""
    tests = sorted({test for row in rows for test in row.tests})
    finished = pytest_in(tree, tests)
    if finished is not None and finished.returncode == 0:
        return True
    sys.stdout.write(finished.stdout if finished else "The tests did not end in time.\n")
    return False


def _told(tree: Path, defence: Defence) -> bool:
    """Run one row and print how it ended; True where a test failed."""
    begun = time.monotonic()
    with without(tree, defence):
        finished = pytest_in(tree, defence.tests, "-x")
    red = finished is None or finished.returncode == 1
    took = time.monotonic() - begun
    sys.stdout.write(f"{_TOLD[red]:<6} {took:5.1f} s  {defence.threat}: {defence.name}\n")
    sys.stdout.flush()
    return red


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
