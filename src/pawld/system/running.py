"""What live processes run from: the directories that must not be removed under them.

On Linux this is read from /proc, on macOS asked of ps. Windows refuses to rename a directory that a program runs from,
so there whoever removes one renames it first and takes the refusal for an answer; this module says nothing there.
"""

import os
import sys
from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path

from pawld.system import process

_PROC = Path("/proc")
_PS = ("/bin/ps", "-axww", "-o", "command=")


def in_use(directories: Collection[Path], *, proc: Path = _PROC, system: str = sys.platform) -> set[Path]:
    """Return those of *directories* that a live process was started from, stands in, or has mapped a file of.

    A process that this user may not look into is known by its command line alone.
    """
    if not directories:
        return set()
    wanted = {os.path.realpath(one): one for one in directories}
    found: set[Path] = set()
    for text in _traces(proc, system):
        found.update(one for real, one in wanted.items() if _is_below(text, real))
    return found


def _is_below(text: str, directory: str) -> bool:
    return text == directory or text.startswith(directory + os.sep)


def _traces(proc: Path, system: str) -> Iterator[str]:
    if system == "linux":
        for entry in proc.iterdir():
            if entry.name.isdigit():
                yield from _traces_of(entry)
    elif system == "darwin":
        listed = process.run(_PS, limit=timedelta(seconds=10))
        yield from (line.strip() for line in listed.output.splitlines())


def _traces_of(process_directory: Path) -> Iterator[str]:
    for name in ("exe", "cwd", "root"):
        try:
            yield os.readlink(process_directory / name)  # noqa: PTH115 - the kernel's text, " (deleted)" and all
        except OSError:  # it ended meanwhile, is a kernel thread, or is another user's
            continue
    yield from _words(process_directory / "cmdline")
    yield from _mapped(process_directory / "maps")


def _words(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return []


def _mapped(path: Path) -> set[str]:
    """The sixth column of proc_pid_maps(5); the kernel writes a newline in a name as an octal escape."""
    try:
        lines = path.read_bytes().decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return set()
    return {line[start:] for line in lines if (start := line.find("/")) >= 0}
