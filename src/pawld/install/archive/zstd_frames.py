"""Follows the frames of a zstd stream as they are read, so that its end is known to be one.

python-zstandard's reader ends in silence where the input ends in the middle of a frame. Only the lengths are looked at
here (RFC 8878 section 3.1); the library judges the content.
"""

from collections.abc import Generator
from typing import Protocol

from pawld.install.archive.limits import refused

MAX_FRAMES = 65_536  # pzstd makes one for each few megabytes
_MAGIC = b"\x28\xb5\x2f\xfd"
_DICTIONARY_ID = (0, 1, 2, 4)  # bytes, by the flag in the frame header descriptor
_CONTENT_SIZE = (0, 2, 4, 8)
_RLE = 1  # the block type whose content is one byte, repeated
_SKIPPABLE = 0x184D2A50  # the first of sixteen magic numbers of frames that decoders jump over


class Reading(Protocol):
    """Bytes before decompression, in order."""

    def lend(self, size: int, /) -> memoryview:
        """Return at most *size* bytes, valid until the next call; empty at the end only."""


class FrameSource:
    """Hands on what *source* reads, and refuses a stream that does not end where its last frame does."""

    def __init__(self, source: Reading) -> None:
        self._source = source
        self._between = True
        self._walk = self._frames()
        self._step = next(self._walk)
        self._held = b""

    def read(self, size: int, /) -> memoryview:
        """Read on, for a decoder that is done with it before it reads again.

        ``RejectedError`` where the stream ends within a frame.
        """
        data = self._source.lend(size)
        if data:
            self._follow(data)
        elif self._held or not self._between:
            raise refused("The archive's zstd stream is cut off.")
        return data

    def _follow(self, data: memoryview) -> None:
        """Give the walk each header that it asks for, and jump over what it does not want to see."""
        at = 0
        while at < len(data):
            if self._step < 0:
                jump = min(-self._step, len(data) - at)
                at += jump
                self._step += jump
                if not self._step:
                    self._step = self._walk.send(b"")
                continue
            part = data[at : at + self._step - len(self._held)]
            at += len(part)
            self._held += part
            if len(self._held) == self._step:
                header, self._held = self._held, b""
                self._step = self._walk.send(header)

    def _frames(self) -> Generator[int, bytes, None]:
        """Yield what comes next: so many bytes to look at, or, negative, so many to jump over."""
        for _ in range(MAX_FRAMES):
            self._between = True
            magic = yield 4
            self._between = False
            if _SKIPPABLE <= int.from_bytes(magic, "little") < _SKIPPABLE + 16:
                length = int.from_bytes((yield 4), "little")
                if length:
                    yield -length
            elif magic == _MAGIC:
                yield from _frame()
            else:
                raise refused("The archive's zstd stream is followed by something else.")
        raise refused(f"The archive's zstd stream has more than {MAX_FRAMES} frames.")


def _frame() -> Generator[int, bytes, None]:
    """Walk one frame after its magic number: header, blocks, checksum."""
    descriptor = (yield 1)[0]
    single = bool(descriptor & 0x20)
    size = _CONTENT_SIZE[descriptor >> 6] or int(single)
    header = (not single) + _DICTIONARY_ID[descriptor & 3] + size
    yield -header
    last = False
    while not last:
        block = int.from_bytes((yield 3), "little")
        last = bool(block & 1)
        length = 1 if block >> 1 & 3 == _RLE else block >> 3
        if length:
            yield -length
    if descriptor & 0x04:
        yield -4
