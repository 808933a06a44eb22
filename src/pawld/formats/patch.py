"""The container of a patch: what to take from the base, and the differences for the rest.

::

    pawld-patch1                      twelve bytes
    one zstd frame:
        length of the header          four bytes, big-endian
        header                        JSON
        a difference for each segment, one after the other

What is new in a build is one stream, its changed and new files in the order of their paths, cut into segments. What it
is made from is another stream, the files of the base that the header names. Each segment has a difference against a
window of that second stream, and the SHA-256 of what has to come out. So memory is bounded by window and segment,
whatever the size of the build, and small files compress together.

Nothing here applies a difference; the engine does that, in ``install.patching``.
"""

import json
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, BinaryIO

import zstandard

from pawld.values import dataclass

MAGIC = b"pawld-patch1"
MiB = 1024 * 1024
SEGMENT = 8 * MiB  # bytes of the new build that are made at once
WINDOW = 16 * MiB  # bytes of the base that one segment may be made from
MAX_DIFFERENCE = 2 * SEGMENT  # bytes; uncompressed, a difference is hardly longer than what it makes
MAX_HEADER = 2 * MiB  # some twenty-five thousand changed files; root reads it, and it takes several times as much there
MAX_VALUES = 125_000  # in a header, each of which takes up to 70 bytes
PROGRAM = "program"  # what both sides call the one file of a build that is a single program
_FRAME_WINDOW = 23  # the decoder takes 8 MiB
_LENGTH = struct.Struct(">I")
_BLOCK = 256 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file whose bytes come out of the segments."""

    path: str
    mode: int
    size: int


@dataclass(frozen=True, slots=True)
class Moved:
    """A file with the bytes of *source* in the base, under another name or with another mode."""

    path: str
    mode: int
    source: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of the new stream.

    Attributes:
        start: where its window begins in the base's stream.
        window: bytes of the base that it needs.
        difference: bytes of its difference.
        length: bytes that come out.
        sha256: of what comes out.
    """

    start: int
    window: int
    difference: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PatchHeader:
    """What a patch does. What it names nowhere stays as it is in the base.

    Attributes:
        base_tree: the digest of the base's tree; empty where the build is a single program.
        old: paths of the base whose bytes make the first stream, in order.
        new: the files that the segments hold, sorted by path.
        removed: files and links of the base that are gone.
        made: directories that are new; *unmade* are gone.
        links: symbolic links that are new or lead elsewhere.
    """

    base_tree: str
    old: tuple[str, ...]
    new: tuple[NewFile, ...]
    segments: tuple[Segment, ...]
    moved: tuple[Moved, ...] = ()
    removed: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    unmade: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def write(header: PatchHeader, differences: Iterator[bytes], to: BinaryIO, level: int = 19) -> None:
    """Write the container; the differences are in the order of the header's segments. ``TooLargeError``."""
    document = _document(header)
    if len(document) > MAX_HEADER or _values(document) > MAX_VALUES:
        raise TooLargeError(f"its header would be {len(document)} bytes long")
    to.write(MAGIC)
    parameters = zstandard.ZstdCompressionParameters.from_level(level, window_log=_FRAME_WINDOW)
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(to, closefd=False) as frame:
        frame.write(_LENGTH.pack(len(document)))
        frame.write(document)
        for difference in differences:
            frame.write(difference)


class TooLargeError(ValueError):
    """A patch has more to name than any host would read."""


class PatchReader:
    """Reads a container forward: the header at once, the differences as they are asked for."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the header; ``ValueError`` where it is not one, or asks for more than any patch may."""
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("it does not begin as a patch does")
        decoder = zstandard.ZstdDecompressor(max_window_size=1 << _FRAME_WINDOW)
        self._frame = decoder.stream_reader(file, closefd=False)
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if length > MAX_HEADER:
            raise ValueError(f"its header would be {length} bytes long")
        document = self._exactly(length)
        if not document.isascii() or _values(document) > MAX_VALUES:
            raise ValueError("its header names more than any patch may")
        self.header = _header(json.loads(document))

    def difference(self, segment: Segment) -> Iterator[bytes]:
        """Yield the next difference, in blocks; ``ValueError`` where the frame ends before or is broken."""
        left = segment.difference
        while left:
            block = self._exactly(min(left, _BLOCK))
            left -= len(block)
            yield block

    def end(self) -> None:
        """Refuse what follows the last difference."""
        if self._read(1):
            raise ValueError("something follows its last difference")

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            block = self._read(min(count - len(parts), MiB))
            if not block:
                raise ValueError("it ends too early")
            parts += block
        return bytes(parts)

    def _read(self, count: int) -> bytes:
        try:
            return self._frame.read(count)
        except zstandard.ZstdError as error:
            raise ValueError(f"its frame is broken: {error}") from error


def _values(document: bytes) -> int:
    """Return how many values a document has at most, before any of them takes memory."""
    return document.count(b",") + document.count(b"[") + document.count(b"{")


def _document(header: PatchHeader) -> bytes:
    fields = {
        "base_tree": header.base_tree,
        "old": header.old,
        "new": [[one.path, one.mode, one.size] for one in header.new],
        "moved": [[one.path, one.mode, one.source] for one in header.moved],
        "removed": header.removed,
        "made": header.made,
        "unmade": header.unmade,
        "links": header.links,
        "segments": [[one.start, one.window, one.difference, one.length, one.sha256] for one in header.segments],
    }
    return json.dumps({name: value for name, value in fields.items() if value}, separators=(",", ":")).encode()


def _header(document: Any) -> PatchHeader:
    if not isinstance(document, dict):
        raise ValueError("its header is no object")  # noqa: TRY004 - one error for a bad patch
    rows = {name: _rows(document, name) for name in _ROWS}
    names = {name: tuple(str(one[0]) for one in rows[name]) for name in ("old", "removed", "made", "unmade")}
    header = PatchHeader(
        base_tree=str(document.get("base_tree", "")),
        new=tuple(NewFile(*one) for one in rows["new"]),
        moved=tuple(Moved(*one) for one in rows["moved"]),
        links=tuple((one[0], one[1]) for one in rows["links"]),
        segments=tuple(Segment(*one) for one in rows["segments"]),
        **names,
    )
    _check(header)
    return header


_ROWS: dict[str, tuple[type, ...]] = {
    "old": (str,),
    "new": (str, int, int),
    "moved": (str, int, str),
    "removed": (str,),
    "made": (str,),
    "unmade": (str,),
    "links": (str, str),
    "segments": (int, int, int, int, str),
}


def _rows(document: dict[str, Any], name: str) -> list[tuple[Any, ...]]:
    found = document.get(name, [])
    if not isinstance(found, list):
        raise ValueError(f"its list {name!r} is no list")  # noqa: TRY004 - one error for a bad patch
    rows = [tuple(one) if isinstance(one, list) else (one,) for one in found]
    if any(tuple(map(type, row)) != _ROWS[name] for row in rows):
        raise ValueError(f"its list {name!r} has an entry of another form")
    return rows


def _check(header: PatchHeader) -> None:
    """Every number in its bounds, before a byte is made or memory is taken for it."""
    for one in header.segments:
        bounds = ((one.window, WINDOW), (one.difference, MAX_DIFFERENCE), (one.length, SEGMENT))
        if one.start < 0 or one.length < 1 or any(not 0 <= value <= most for value, most in bounds):
            raise ValueError("a segment of it is larger than any may be")
    if any(one.size < 0 or one.mode < 0 for one in header.new):
        raise ValueError("a file in it has a negative size")
    if sum(one.size for one in header.new) != sum(one.length for one in header.segments):
        raise ValueError("its segments do not add up to its files")
    paths = [one.path for one in header.new]
    if any(first >= second for first, second in pairwise(paths)):
        raise ValueError("its files are not sorted")
