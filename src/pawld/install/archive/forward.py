"""Reads strictly forward through one buffer that is used again and again.

A view that comes out of here is valid until the next call only.
"""

from collections.abc import Iterator
from typing import Protocol

from pawld.install.archive.limits import KiB, named, refused

BUFFER = 256 * KiB  # bytes; fits the second-level cache, and larger ones measured no faster


class Inflating(Protocol):
    """Bytes after decompression, in order."""

    def readinto(self, into: memoryview, /) -> int:
        """Fill the beginning of *into*; 0 only at the proper end. ``RejectedError`` where the stream is broken."""


class Forward:
    """A forward reader over *source*."""

    def __init__(self, source: Inflating) -> None:
        self._source = source
        self._view = memoryview(bytearray(BUFFER))
        self._start = 0
        self._end = 0
        self._before = 0
        self.member = "its first member"

    @property
    def position(self) -> int:
        """How many bytes were handed out."""
        return self._before + self._start

    def exactly(self, count: int) -> memoryview:
        """Return the next *count* bytes, at most ``BUFFER``; ``RejectedError`` where the archive ends before."""
        start = self._start
        if self._end - start < count:
            self._gather(count)
            start = 0
        self._start = start + count
        return self._view[start : self._start]

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Yield the next *count* bytes in as few pieces as the buffer allows."""
        while count:
            if self._start == self._end:
                self._gather(1)
            piece = self._view[self._start : min(self._end, self._start + count)]
            self._start += len(piece)
            count -= len(piece)
            yield piece

    def rest(self) -> Iterator[memoryview]:
        """Yield everything up to the end."""
        while self._start < self._end or self._filled():
            yield self._view[self._start : self._end]
            self._start = self._end

    def _gather(self, count: int) -> None:
        """Move what is left to the front and fill up until *count* bytes are there."""
        left = self._end - self._start
        self._before += self._start
        if left:
            self._view[:left] = self._view[self._start : self._end]
        self._start, self._end = 0, left
        while self._end < count:
            got = self._source.readinto(self._view[self._end :])
            if not got:
                raise refused(f"The archive is cut off in {named(self.member)}.")
            self._end += got

    def _filled(self) -> bool:
        self._before += self._start
        self._start, self._end = 0, self._source.readinto(self._view)
        return self._end > 0
