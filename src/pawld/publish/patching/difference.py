"""One patch out of two streams on disk: segments, their windows, their differences, and the container around them."""

import hashlib
import mmap
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Self

from pawld.formats import patch
from pawld.formats.patch import SEGMENT, WINDOW, PatchHeader, Segment
from pawld.publish.patching.window import window_of


def write_patch(header: PatchHeader, old: Path, new: Path, to: BinaryIO) -> None:
    """Write the container that makes the bytes of *new* out of those of *old*; *header* lacks the segments alone."""
    with tempfile.TemporaryFile(dir=old.parent) as spool, _mapped(old) as before, _mapped(new) as after:
        segments = tuple(_segments(before, after, spool))
        spool.seek(0)
        differences = (spool.read(one.difference) for one in segments)
        patch.write(replace(header, segments=segments), differences, to)


def _segments(old: "mmap.mmap | _Nothing", new: "mmap.mmap | _Nothing", spool: BinaryIO) -> Iterator[Segment]:
    from hdiffpatch import diff  # noqa: PLC0415 - an extra; who makes no patch does without

    for start in range(0, len(new), SEGMENT):
        made = new[start : start + SEGMENT]
        place, length = window_of(old, made, start * len(old) // len(new), WINDOW)
        # Uncompressed: the frame around all of them compresses better than each by itself, by one to two percent.
        found = diff(old[place : place + length], made, None, validate=False, big_cache_match=True)
        spool.write(found)
        yield Segment(place, length, len(found), len(made), hashlib.sha256(made).hexdigest())


class _Nothing(bytes):
    """An empty file, which no system maps."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to let go of."""


def _mapped(path: Path) -> "mmap.mmap | _Nothing":
    with path.open("rb") as file:
        if not path.stat().st_size:
            return _Nothing()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
