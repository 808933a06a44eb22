"""The two streams of a patch: files of the base, one after the other, and what is made of them."""

import hashlib
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from pawld.errors import TransientError
from pawld.formats.patch import PatchReader, Segment
from pawld.formats.slot_manifest import FileEntry
from pawld.install.patching.engine import Engine, failed
from pawld.reasons import Reason

_BLOCK = 256 * 1024  # bytes
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def opened(slot: Path, entry: FileEntry) -> BinaryIO:
    """Open a file of the slot, never through a link."""
    return os.fdopen(os.open(slot / entry.path, _FLAGS), "rb", buffering=0)


def damaged(slot: Path, entry: FileEntry) -> TransientError:
    """Return the error for a file of the base that is not what was installed."""
    message = f"{entry.path} of {slot.name} holds other bytes than were installed, so nothing is made from it."
    return TransientError(Reason.SLOT_DAMAGED, message)


class OldStream:
    """Files of a slot as one stream, each proven by its digest before a byte of it is used."""

    def __init__(self, slot: Path, files: Sequence[FileEntry]) -> None:
        self._slot = slot
        self._files = tuple(files)
        self._ends = tuple(accumulate(one.size for one in self._files))
        for one in self._files:
            self._prove(one)

    def window(self, start: int, length: int) -> Iterator[bytes]:
        """Yield *length* bytes from *start*, in blocks; ``TransientError`` where the stream has not so many."""
        if start + length > (self._ends[-1] if self._ends else 0):
            raise failed("it asks for more than the base has")
        number = bisect_right(self._ends, start)
        while length:
            entry = self._files[number]
            offset = start - (self._ends[number] - entry.size)
            count = min(length, entry.size - offset)
            yield from self._blocks(entry, offset, count)
            start, length, number = start + count, length - count, number + 1

    def _prove(self, entry: FileEntry) -> None:
        with opened(self._slot, entry) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # it is readable
        if found != entry.sha256:
            raise damaged(self._slot, entry)

    def _blocks(self, entry: FileEntry, offset: int, count: int) -> Iterator[bytes]:
        with opened(self._slot, entry) as file:
            file.seek(offset)
            while count:
                block = file.read(min(count, _BLOCK))
                if not block:
                    raise damaged(self._slot, entry)
                count -= len(block)
                yield block


class NewStream:
    """What the segments make, cut into the files that it consists of."""

    def __init__(self, patch: PatchReader, old: OldStream, engine: Engine) -> None:
        self._patch = patch
        self._old = old
        self._engine = engine
        self._made = self._segments()
        self._rest = memoryview(b"")

    def take(self, size: int) -> Iterator[memoryview]:
        """Yield the next *size* bytes, in pieces."""
        while size:
            if not self._rest:
                self._rest = memoryview(next(self._made))
            piece = self._rest[:size]
            self._rest = self._rest[len(piece) :]
            size -= len(piece)
            yield piece

    def end(self) -> None:
        """Refuse what is left over, in the segments or in the container."""
        if self._rest or next(self._made, None) is not None:
            raise failed("it makes more than its files hold")

    def _segments(self) -> Iterator[bytes]:
        try:
            for segment in self._patch.header.segments:
                yield from self._segment(segment)
            self._patch.end()
        except ValueError as error:
            raise failed(str(error)) from error

    def _segment(self, segment: Segment) -> Iterator[bytes]:
        digest = hashlib.sha256()
        old = self._old.window(segment.start, segment.window)
        blocks = self._patch.difference(segment)
        for block in self._engine.applied(segment.window, old, segment.difference, blocks, segment.length):
            digest.update(block)
            yield block
        if digest.hexdigest() != segment.sha256:
            raise failed("a segment of it came out with another digest than it states")
