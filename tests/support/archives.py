"""Archives made byte by byte, since no tool makes the hostile ones."""

import gzip
import io
import lzma
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from pawld.install.archive import Limits, Written, unpack

END = bytes(1024)


class Untold:
    """A progress that only counts."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def start(self, step: str, total: int, done: int = 0) -> None:
        self.told.append((f"start {step}", total - done))

    def advance(self, count: int) -> None:
        self.told.append(("advance", count))

    def finish(self) -> None:
        self.told.append(("finish", 0))


def header(
    name: bytes | str,
    *,
    kind: bytes = b"0",
    size: int | bytes = 0,
    mode: bytes = b"0000644\0",
    link: bytes | str = b"",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """One tar header with a right checksum, unless another is given."""
    raw = name.encode("utf-8") if isinstance(name, str) else name
    target = link.encode("utf-8") if isinstance(link, str) else link
    length = size if isinstance(size, bytes) else b"%011o\0" % size
    block = bytearray(512)
    for start, width, value in (
        (0, 100, raw),
        (100, 8, mode),
        (108, 8, b"0000000\0"),
        (116, 8, b"0000000\0"),
        (124, 12, length),
        (136, 12, b"00000000000\0"),
        (148, 8, b" " * 8),
        (156, 1, kind),
        (157, 100, target),
        (257, 8, magic),
        (345, 155, prefix),
    ):
        assert len(value) <= width, value
        block[start : start + len(value)] = value
    block[148:156] = checksum or b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: bytes | str, content: bytes = b"", **fields: object) -> bytes:
    """A header with its content."""
    return header(name, **({"size": len(content)} | fields)) + padded(content)  # type: ignore[arg-type]  # as given


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def pax(records: Iterable[tuple[str, bytes | str]], kind: bytes = b"x") -> bytes:
    """A pax extension header."""
    content = b""
    for key, value in records:
        said = b" %s=%s\n" % (key.encode(), value.encode() if isinstance(value, str) else value)
        length = len(said) + 1
        while length != len(said) + len(str(length)):
            length += 1
        content += b"%d" % length + said
    return member("PaxHeaders/x", content, kind=kind)


def long_name(name: bytes | str, kind: bytes = b"L") -> bytes:
    """GNU's way to a long name."""
    raw = name.encode("utf-8") if isinstance(name, str) else name
    return member("././@LongLink", raw + b"\0", kind=kind, magic=b"ustar  \0")


PACKERS = {
    "tar.gz": lambda data: gzip.compress(data, 1, mtime=0),
    "tar.zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
    "tar.xz": lambda data: lzma.compress(data, preset=0),
}


@dataclass
class ZipMember:
    """A zip member; every field of its headers may lie."""

    name: bytes
    content: bytes = b""
    method: int = 8
    mode: int = 0o100644
    made_by: int = 3
    flags: int = 0
    extra: bytes = b""
    local: dict[str, object] = field(default_factory=dict)
    central: dict[str, object] = field(default_factory=dict)
    descriptor: bytes | None = None
    packed: bytes | None = None


def zipped(members: Iterable[ZipMember], *, before: bytes = b"", after: bytes = b"", **end: int) -> bytes:
    """A zip archive of *members*, as they say."""
    out = bytearray(before)
    directory = b""
    count = 0
    for one in members:
        packed = one.packed if one.packed is not None else _deflated(one.content) if one.method == 8 else one.content
        said = {
            "name": one.name,
            "flags": one.flags,
            "method": one.method,
            "crc": zlib.crc32(one.content),
            "packed": len(packed),
            "size": len(one.content),
            "extra": one.extra,
            "offset": len(out),
            "disk": 0,
        }
        zeros = {"crc": 0, "packed": 0, "size": 0} if one.flags & 8 else {}
        out += _local(said | zeros | one.local) + packed
        if one.flags & 8:
            out += one.descriptor if one.descriptor is not None else _descriptor(said)
        directory += _central(said | one.central, one)
        count += 1
    entries, size, offset = end.get("entries", count), end.get("size", len(directory)), end.get("offset", len(out))
    final = struct.pack("<4s4H2LH", b"PK\x05\x06", end.get("disk", 0), 0, entries, entries, size, offset, len(after))
    return bytes(out) + directory + final + after


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _descriptor(said: dict[str, object]) -> bytes:
    return struct.pack("<4s3L", b"PK\x07\x08", said["crc"], said["packed"], said["size"])


def _local(said: dict[str, object]) -> bytes:
    name, extra = said["name"], said["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    numbers = (said["crc"], said["packed"], said["size"])
    head = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, said["flags"], said["method"], 0, 33, *numbers, len(name), len(extra)
    )
    return head + name + extra


def _central(said: dict[str, object], one: ZipMember) -> bytes:
    name, extra = said["name"], said["extra"]
    assert isinstance(name, bytes)
    assert isinstance(extra, bytes)
    numbers = (said["crc"], said["packed"], said["size"])
    lengths = (len(name), len(extra), 0, said["disk"], 0)
    head = struct.pack("<4s6H3L5H", b"PK\x01\x02", one.made_by << 8 | 20, 20, said["flags"], said["method"], 0, 33,
                       *numbers, *lengths)  # fmt: skip
    return head + struct.pack("<LL", one.mode << 16, said["offset"]) + name + extra


def unpacked(data: bytes, form: str, into: Path, limits: Limits | None = None) -> Written:
    """Unpack *data* into the fresh directory *into*."""
    into.mkdir(mode=0o700)
    return unpack(io.BytesIO(data), form, into, limits or Limits(), Untold())


def everything_below(root: Path) -> dict[str, bytes | str | None]:
    """What lies below *root*: content of files, targets of links, None for directories."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found
