"""What a native program says of itself: the words that ELF, PE and Mach-O headers are translated into."""

from collections.abc import Callable

from pawld.values import dataclass

ReadAt = Callable[[int, int], bytes]
"""Read at an offset, so many bytes; fewer where the file ends."""

ANY = "any"  # the CPU of managed code


@dataclass(frozen=True, slots=True)
class Native:
    """One system that a program is made for.

    Attributes:
        os: ``linux``, ``macos``, ``windows``, or what the header says.
        arch: as in ``Platform``; ``any`` for managed code; ``0x…`` where the number has no name here.
        libc: ``gnu`` or ``musl`` where a loader is named; None for static programs, libraries and other systems.
    """

    os: str
    arch: str
    libc: str | None = None

    def __str__(self) -> str:
        return "-".join(part for part in (self.os, self.arch, self.libc) if part)
