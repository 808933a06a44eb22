"""How much memory a process holds, and letting go of what this one holds without need."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_RESIDENT = 1  # the second number of statm, in pages: proc_pid_statm(5)
_DONTNEED = 4  # madvise(2)
_PRIVATE_COPIES = ("Anonymous:", "Swap:")

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
    with suppress(OSError), maps.open(encoding="utf-8", errors="replace") as lines:
        spans = list(_clean(lines))
        advise = advise or _advise_for_real()
        for start, end in spans:
            advise(start, end - start)


def _clean(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield where the read-only mappings of files begin and end that are nothing but what the files hold."""
    span, copies = None, 0
    for line in lines:
        word, *rest = line.split(maxsplit=5)
        if word.endswith(":"):
            copies += int(rest[0]) if word in _PRIVATE_COPIES else 0
            if word == "VmFlags:":  # the last line of each mapping
                if span is not None and not copies:
                    yield span
                span, copies = None, 0
        elif _is_file_read_only(rest):
            start, _, end = word.partition("-")
            span = int(start, 16), int(end, 16)


def _is_file_read_only(fields: list[str]) -> bool:
    """Tell by the fields after the addresses: permissions, offset, device, inode, path."""
    allowed, *_, path = fields
    return allowed[:2] == "r-" and allowed[3] == "p" and path.startswith("/") and "(deleted)" not in path


def _advise_for_real() -> Advise:
    """What it answers is nobody's concern: pages that stay are only not spared."""
    import ctypes  # noqa: PLC0415 - only where a build is staged, which needs it anyway

    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return lambda start, length: madvise(start, length, _DONTNEED)
