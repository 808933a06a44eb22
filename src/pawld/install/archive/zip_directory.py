"""The central directory of a zip archive, read strictly, and how a local header has to repeat it.

APPNOTE.TXT 6.3.10, sections 4.3 and 4.5. Two readers must not be able to see two archives in the same bytes: the end
record is the only one that fits, nothing lies before, between or after the members, and both headers of each say the
same.
"""

import struct
import zlib
from typing import BinaryIO

from pawld.formats.tar.refusal import decoded
from pawld.install.archive.forward import Forward
from pawld.install.archive.limits import KiB, Limits, named, refused
from pawld.values import dataclass

END = struct.Struct("<4s4H2LH")
END64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR64 = struct.Struct("<4sLQL")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")

DESCRIPTOR = 0x0008  # the sizes follow the content
UTF8 = 0x0800
_UNDERSTOOD = DESCRIPTOR | UTF8 | 0x0006  # and two bits of hints about deflate's effort
_UNIX = (3, 19)  # made on a system whose modes stand in the attributes: Unix, macOS
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF  # see the zip64 field instead
_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_BLOCK = 256 * KiB  # bytes that are read at once
_COMMENT = 64 * KiB  # bytes; the end record lies this near to the end


@dataclass(slots=True)
class Member:
    """What the central directory says of one member.

    Attributes:
        raw: the name as it stands in both headers.
        attributes: Unix mode with the file type; 0 where it was not made on Unix.
        offset: of the local header from the archive's start.
    """

    raw: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    offset: int


@dataclass(slots=True)
class _Directory:
    offset: int
    size: int
    entries: int


class Part:
    """Reads a part of the file forward, for ``Forward``."""

    def __init__(self, stream: BinaryIO, offset: int, size: int) -> None:
        stream.seek(offset)
        self._stream = stream
        self._left = size

    def next(self, _used: memoryview | None, /) -> memoryview:
        """Return the next block; nothing beyond the part comes out."""
        data = self._stream.read(min(self._left, _BLOCK))
        self._left -= len(data)
        return memoryview(data)


def members_of(stream: BinaryIO, limits: Limits) -> tuple[list[Member], int]:
    """Return the members in the order in which they lie, and where the directory begins; ``RejectedError`` as above."""
    directory = _directory(stream)
    if directory.entries > limits.files + limits.others:
        raise refused(f"The archive says that it has {directory.entries} members, more than is allowed.")
    reader = Forward(Part(stream, directory.offset, directory.size))
    reader.member = "its directory"
    members = [_central(reader) for _ in range(directory.entries)]
    if next(reader.rest(), b""):
        raise refused("The archive's directory has more members than its end record says.")
    return sorted(members, key=lambda one: one.offset), directory.offset


def _directory(stream: BinaryIO) -> _Directory:
    """Find the one end record that fits, and the zip64 one before it where it points there."""
    length = stream.seek(0, 2)
    tail_at = max(0, length - END.size - _COMMENT)
    stream.seek(tail_at)
    tail = stream.read(END.size + _COMMENT)
    fitting = [at for at in _places(tail, b"PK\x05\x06") if _fits(tail, at)]
    if len(fitting) != 1:
        raise refused(f"The archive has {len(fitting)} end records that fit; a zip archive has one.")
    end_at = tail_at + fitting[0]
    _, disk, first, here, entries, size, offset, _ = END.unpack_from(tail, fitting[0])
    if disk or first or here != entries:
        raise refused("The archive is one of several volumes.")
    directory = _Directory(offset, size, entries)
    if entries == _FULL16 or _FULL32 in (size, offset):
        directory, end_at = _directory64(stream, end_at, directory)
    if directory.offset + directory.size != end_at:
        raise refused("The archive's directory does not lie where its end record says.")
    return directory


def _places(data: bytes, what: bytes) -> list[int]:
    places = []
    at = data.find(what)
    while at >= 0:
        places.append(at)
        at = data.find(what, at + 1)
    return places


def _fits(tail: bytes, at: int) -> bool:
    """Whether an end record at *at* reaches exactly to the file's end with its comment."""
    return at + END.size <= len(tail) and at + END.size + END.unpack_from(tail, at)[7] == len(tail)


def _directory64(stream: BinaryIO, end_at: int, small: _Directory) -> tuple[_Directory, int]:
    """Read the zip64 end record; what the small one says in full has to be repeated."""
    _, disk, record_at, disks = LOCATOR64.unpack(_read(stream, end_at - LOCATOR64.size, LOCATOR64.size, b"PK\x06\x07"))
    record = _read(stream, record_at, END64.size, b"PK\x06\x06")
    _, length, _, _, there, first, here, entries, size, offset = END64.unpack(record)
    if disk or disks > 1 or there or first or here != entries:
        raise refused("The archive is one of several volumes.")
    if record_at + 12 + length != end_at - LOCATOR64.size:
        raise refused("The archive's zip64 end record has a length that is not its own.")
    for said, full, mark in (
        (small.entries, entries, _FULL16),
        (small.size, size, _FULL32),
        (small.offset, offset, _FULL32),
    ):
        if said not in (mark, full):
            raise refused("The archive's two end records contradict each other.")
    return _Directory(offset, size, entries), record_at


def _read(stream: BinaryIO, at: int, length: int, signature: bytes) -> bytes:
    if 0 <= at <= stream.seek(0, 2):
        stream.seek(at)
        data = stream.read(length)
        if len(data) == length and data.startswith(signature):
            return data
    raise refused("The archive's zip64 end record is missing.")


def _central(reader: Forward) -> Member:
    fixed = CENTRAL.unpack(reader.exactly(CENTRAL.size))
    signature, made, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk, _, attributes, offset = (
        fixed
    )
    if signature != b"PK\x01\x02":
        raise refused("The archive's directory is damaged.")
    raw = bytes(reader.exactly(name))
    fields = bytes(reader.exactly(extra))
    reader.exactly(comment)
    if disk:
        raise refused("The archive is one of several volumes.")
    on_unix = made >> 8 in _UNIX
    spelled = checked_name(raw, flags, made_on_unix=on_unix)
    mode = attributes >> 16 if on_unix else 0
    member = Member(raw, spelled, flags, method, crc, packed, size, mode, offset)
    check_method(member)
    member.size, member.packed, member.offset = large(fields, member.name, size, packed, offset)
    return member


def checked_name(raw: bytes, flags: int, *, made_on_unix: bool) -> str:
    """Return the name, which has to be UTF-8: marked so, or made on Unix, where Info-ZIP leaves the mark out."""
    name = decoded(raw)
    if not (raw.isascii() or flags & UTF8 or made_on_unix):
        raise refused(f"The archive's member {named(name)} has a name in an unknown character set.")
    if "\0" in name:
        raise refused(f"The archive's member {named(name)} has a NUL in its name.")
    return name


def check_method(member: Member) -> None:
    """Refuse encryption, patches, and every method but stored and deflated."""
    if member.flags & 0x0041 or member.flags & 0x2000:
        raise refused(f"The archive's member {named(member.name)} is encrypted.")
    if member.flags & ~_UNDERSTOOD:
        raise refused(f"The archive's member {named(member.name)} has flags that are not understood.")
    if member.method not in (0, 8):
        raise refused(f"The archive's member {named(member.name)} is packed by the unknown method {member.method}.")


def large(fields: bytes, name: str, *values: int) -> list[int]:
    """Return *values*, each that is full taken from the zip64 field of *fields*, in order."""
    known = _extra_fields(fields, name)
    wide = known.get(_ZIP64, b"")
    found = []
    for value in values:
        if value == _FULL32:
            if len(wide) < 8:  # noqa: PLR2004 - a 64-bit number
                raise refused(f"The archive's member {named(name)} lacks its zip64 field.")
            value, wide = int.from_bytes(wide[:8], "little"), wide[8:]  # noqa: PLW2901 - its wide form
        found.append(value)
    return found


def _extra_fields(fields: bytes, name: str) -> dict[int, bytes]:
    known: dict[int, bytes] = {}
    while fields:
        tag, length = int.from_bytes(fields[:2], "little"), int.from_bytes(fields[2:4], "little")
        if len(fields) < 4 + length or tag in known or (tag == _UNICODE_PATH and not _repeats(fields, name)):
            raise refused(f"The archive's member {named(name)} has an extra field that is not understood.")
        known[tag] = fields[4 : 4 + length]
        fields = fields[4 + length :]
    return known


def _repeats(fields: bytes, name: str) -> bool:
    """Whether the Unicode path field that *fields* begin with says the same name again (APPNOTE 4.6.9)."""
    raw = name.encode("utf-8")
    field = b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + raw
    return fields[2:].startswith(len(field).to_bytes(2, "little") + field)
