"""Opens a compressed stream for reading: bounded in memory, strict about how it ends, errors in our words.

Each of the three formats allows several members in a row, and tools make use of that; what follows the last one must be
nothing. Whether the members make one archive is for the tar reader to judge.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from typing import TYPE_CHECKING, BinaryIO, cast

from pawld.install.archive.ahead import Inflating
from pawld.install.archive.limits import KiB, Limits, MiB, refused
from pawld.install.archive.zstd_frames import FrameSource

if TYPE_CHECKING:
    import lzma

_INPUT = 256 * KiB  # bytes that are read at once
_LENT = MiB  # bytes that are read at once where they are only lent
_FREE = MiB  # bytes that may come out before the ratio says anything


class Counted(BufferedIOBase):
    """The proven stream, and how much of it was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lend: Callable[[int], memoryview] | None = getattr(stream, "lend", None)
        self.count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most *size* bytes."""
        data = self._stream.read(-1 if size is None else size)
        self.count += len(data)
        return data

    def lend(self, size: int, /) -> memoryview:
        """Return at most *size* bytes, where the stream has them in memory without a copy; valid until the next."""
        view = memoryview(self._stream.read(size)) if self._lend is None else self._lend(size)
        self.count += len(view)
        return view


class Bounded:
    """An inflating stream that stops where the ratio of what came out to what went in is that of a bomb."""

    def __init__(self, inner: Inflating, source: Counted, ratio: int) -> None:
        self._inner = inner
        self._source = source
        self._ratio = ratio
        self._out = 0

    def readinto(self, into: memoryview, /) -> int:
        """Read on."""
        got = self._inner.readinto(into)
        self._out += got
        if self._out > _FREE and self._out > self._source.count * self._ratio:
            raise refused(f"The archive unfolds to more than {self._ratio} times its size, as a bomb does.")
        return got


def inflated(stream: BinaryIO, compression: str, limits: Limits) -> Inflating:
    """Open *stream*, compressed by ``gz``, ``zst`` or ``xz``."""
    source = Counted(stream)
    inner: Inflating
    match compression:
        case "gz":
            inner = Gzip(source)
        case "zst":
            inner = Zstd(source, limits.decoder_memory)
        case _:
            inner = Xz(source, limits.decoder_memory)
    return inner if limits.ratio is None else Bounded(inner, source, limits.ratio)


def load() -> None:
    """Load every format's library now, for a process that soon may load nothing more."""
    import lzma  # noqa: F401, PLC0415 - to have it loaded
    import zlib  # noqa: F401, PLC0415 - as above

    import zstandard  # noqa: F401, PLC0415 - as above
    from isal import igzip  # noqa: F401, PLC0415 - as above


class Gzip:
    """Gzip by isal, which checks length and CRC-32 of each member and refuses what follows, zero bytes excepted."""

    def __init__(self, source: Counted) -> None:
        import zlib  # noqa: PLC0415 - each format loads its own library alone

        from isal import igzip, isal_zlib  # noqa: PLC0415 - as above

        self._broken: tuple[type[Exception], ...]
        self._broken = (igzip.BadGzipFile, isal_zlib.error, zlib.error)  # type: ignore[assignment]  # isal's stub
        self._file = igzip.GzipFile(fileobj=source, mode="rb")  # type: ignore[no-untyped-call]  # isal has no hints here

    def readinto(self, into: memoryview, /) -> int:
        """Read on."""
        with _broken_streams("gzip", *self._broken):
            got: int = self._file.readinto(into)
        return got


class Zstd:
    """Zstandard. The window is bounded; the frames are checked by ``FrameSource``, since the library is silent."""

    def __init__(self, source: Counted, memory: int) -> None:
        import zstandard  # noqa: PLC0415 - each format loads its own library alone

        self._broken = zstandard.ZstdError
        window = 1 << (memory.bit_length() - 1)
        decompressor = zstandard.ZstdDecompressor(max_window_size=window)
        frames = cast("BinaryIO", FrameSource(source))  # it is only ever asked to read
        self._reader = decompressor.stream_reader(frames, read_size=_LENT, read_across_frames=True)

    def readinto(self, into: memoryview, /) -> int:
        """Read on."""
        with _broken_streams("zstd", self._broken):
            return self._reader.readinto(into)


class Xz:
    """XZ, one stream after the other."""

    def __init__(self, source: Counted, memory: int) -> None:
        import lzma  # noqa: PLC0415 - each format loads its own library alone

        self._lzma = lzma
        self._source = source
        self._memory = memory
        self._unread = b""
        self._decoder = self._new()

    def readinto(self, into: memoryview, /) -> int:
        """Read on."""
        with _broken_streams("xz", self._lzma.LZMAError):
            while not self._at_end():
                out = self._decoder.decompress(self._more(), max_length=len(into))
                if out:
                    into[: len(out)] = out
                    return len(out)
        return 0

    def _at_end(self) -> bool:
        """Whether nothing follows; where another stream does, a decoder for it stands ready."""
        if not self._decoder.eof:
            return False
        self._unread = self._decoder.unused_data or self._source.read(_INPUT)
        if self._unread:
            self._decoder = self._new()
        return not self._unread

    def _more(self) -> bytes:
        if not self._decoder.needs_input:
            return b""
        data, self._unread = self._unread or self._source.read(_INPUT), b""
        if not data:
            raise EOFError
        return data

    def _new(self) -> "lzma.LZMADecompressor":
        return self._lzma.LZMADecompressor(format=self._lzma.FORMAT_XZ, memlimit=self._memory)


@contextmanager
def _broken_streams(what: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a library says of a broken stream into a refusal; what the stream's owner raises passes."""
    try:
        yield
    except EOFError as error:
        raise refused(f"The archive's {what} stream is cut off.") from error
    except errors as error:
        raise refused(f"The archive's {what} stream is broken: {error}.") from error
