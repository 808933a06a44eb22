"""Reads strictly forward through blocks that are used again and again.

A view that comes out of here is valid until the next call only.
"""

from collections.abc import Iterator
from typing import Protocol

from pawld.install.archive.limits import named, refused


class Blocks(Protocol):
    """Where the bytes come from, block by block."""

    def next(self, used: memoryview | None, /) -> memoryview:
        """Take the block *used* back, and return the next one; an empty one is the end."""


class Forward:
    """A forward reader over *blocks*.

    Attributes:
        member: what is read just now, for messages.
    """

    def __init__(self, blocks: Blocks) -> None:
        self.member = "its first member"
        self._blocks = blocks
        self._block: memoryview | None = None
        self._view = memoryview(b"")
        self._start = 0
        self._before = 0

    @property
    def position(self) -> int:
        """How many bytes were handed out."""
        return self._before + self._start

    def exactly(self, count: int) -> memoryview:
        """Return the next *count* bytes; ``RejectedError`` where the archive ends before."""
        end = self._start + count
        if end <= len(self._view):
            view = self._view[self._start : end]
            self._start = end
            return view
        return memoryview(b"".join(bytes(piece) for piece in self.pieces(count)))

    def held(self, count: int) -> memoryview | None:
        """Return the next *count* bytes where the current block holds them all; None where it does not."""
        start, view = self._start, self._view
        end = start + count
        if end > len(view):
            return None
        self._start = end
        return view[start:end]

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Yield the next *count* bytes in as few pieces as the blocks allow."""
        while count:
            if self._start == len(self._view) and not self._moved():
                raise refused(f"The archive is cut off in {named(self.member)}.")
            piece = self._view[self._start : self._start + count]
            self._start += len(piece)
            count -= len(piece)
            yield piece

    def rest(self) -> Iterator[memoryview]:
        """Yield everything up to the end."""
        while self._start < len(self._view) or self._moved():
            piece = self._view[self._start :]
            self._start = len(self._view)
            yield piece

    def _moved(self) -> bool:
        """Go on to the next block; return whether there was one."""
        self._before += len(self._view)
        self._view = self._blocks.next(self._view if self._before else None)
        self._start = 0
        return len(self._view) > 0
