"""How much memory a process holds, and letting go of what this one holds without need."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_RESIDENT = 1  # the second number of statm, in pages: proc_pid_statm(5)
_DONTNEED = 4  # madvise(2)
_READ_ONLY_FILE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ \S+ +(/.*)$", re.MULTILINE)
_NO_COPIES = re.compile(r"^(?:Anonymous|Swap): +0 kB$", re.MULTILINE)
_COUNTS = 2  # of pages of our own, in memory and swapped out

Advise = Callable[[int, int], object]
"""Tells the kernel that so many bytes from this address on are not needed now."""


def resident(pid: int, proc: Path = _PROC) -> int | None:
    """Return the bytes that the process holds in memory; None where this system does not tell, or it is gone."""
    try:
        numbers = (proc / str(pid) / "statm").read_text().split()
    except OSError:
        return None
    return int(numbers[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE") if len(numbers) > _RESIDENT else None


def let_go_of_mapped_files(maps: Path = _PROC / "self" / "smaps", advise: Advise | None = None) -> None:
    """Unmap the pages of libraries that this process has read so far; what it needs again it finds in the page cache.

    A start leaves some 20 MB of libraries mapped, most of which was needed to import them once. Only mappings go that
    nobody can write to and of which this process has no copy of its own: a page that the loader has changed, such as
    a table of relocations, exists nowhere else. A system without such a list keeps everything.
    """
    if sys.platform != "linux" and advise is None:
        return
    with suppress(OSError):
        spans = list(_clean(maps.read_text(encoding="utf-8", errors="replace")))
        advise = advise or _advise_for_real()
        for start, end in spans:
            advise(start, end - start)


def _clean(maps: str) -> Iterator[tuple[int, int]]:
    """Yield where the read-only mappings of files begin and end that are nothing but what the files hold."""
    for mapping in maps.split("\nVmFlags:"):  # the last line of each; line by line takes ten times as long
        found = _READ_ONLY_FILE.search(mapping)
        if found and "(deleted)" not in found[3] and len(_NO_COPIES.findall(mapping)) == _COUNTS:
            yield int(found[1], 16), int(found[2], 16)


def _advise_for_real() -> Advise:
    """What it answers is nobody's concern: pages that stay are only not spared."""
    import ctypes  # noqa: PLC0415 - only where an update is made, which needs it anyway to sync

    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return lambda start, length: madvise(start, length, _DONTNEED)
