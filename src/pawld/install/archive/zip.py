"""The members of a zip archive, in the order in which they lie, each checked against the central directory.

Stored and deflated members only; every byte of the archive belongs to exactly one member or to the directory.
"""

import stat
import struct
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib

from pawld.formats.tar.refusal import decoded
from pawld.install.archive.forward import Forward
from pawld.install.archive.limits import KiB, Limits, MiB, named, refused
from pawld.install.archive.members import Members
from pawld.install.archive.names import MAX_PATH
from pawld.install.archive.zip_directory import DESCRIPTOR, LOCAL, Member, Part, large, members_of

_OUTPUT = 256 * KiB  # bytes that are inflated at once
_BROKEN: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # isal's stub takes it for an instance
_FREE = MiB  # bytes that may come out before the ratio says anything
_DESCRIPTORS = {one.size: one for one in map(struct.Struct, ("<3L", "<4s3L", "<L2Q", "<4sL2Q"))}


def read_zip(stream: BinaryIO, writer: Members) -> None:
    """Write every member of the seekable file *stream*; ``RejectedError`` unless it is one unambiguous archive."""
    members, end = members_of(stream, writer.limits)
    source = Forward(Part(stream, 0, end))
    for member, following in zip(members, [*(one.offset for one in members[1:]), end], strict=True):
        if member.offset + LOCAL.size + member.packed > following or source.position != member.offset:
            raise refused(f"The archive's member {named(member.name)} overlaps another, or leaves a gap.")
        source.member = member.name
        _check_local(source, member)
        _unpack(source, member, writer)
        if member.flags & DESCRIPTOR:
            _check_descriptor(source, member, following - source.position)
    if source.position != end:
        raise refused("The archive has something between its members and its directory.")


def _unpack(source: Forward, member: Member, writer: Members) -> None:
    kind = stat.S_IFMT(member.attributes)
    if member.name.endswith("/"):
        if kind not in (0, stat.S_IFDIR) or member.size or member.packed:
            raise refused(f"The archive's member {named(member.name)} is no plain directory.")
        writer.folder(member.name)
    elif kind == stat.S_IFLNK:
        writer.link(member.name, _target(source, member, writer.limits))
    elif kind in (0, stat.S_IFREG):
        writer.file(member.name, member.size, member.attributes, _content(source, member, writer.limits))
    else:
        raise refused(f"The archive's member {named(member.name)} is no file, directory or link.")


def _check_local(source: Forward, member: Member) -> None:
    """Read the local header, which must repeat the central one; before a descriptor it may leave the numbers out."""
    fixed = LOCAL.unpack(source.exactly(LOCAL.size))
    signature, _, flags, method, _, _, crc, packed, size, name, extra = fixed
    raw = bytes(source.exactly(name))
    fields = bytes(source.exactly(extra))
    wide_size, wide_packed = large(fields, member.name, size, packed)
    said = (crc, wide_packed, wide_size)
    central = (member.crc, member.packed, member.size)
    agrees = said == central or (bool(flags & DESCRIPTOR) and said == (0, 0, 0))
    if signature != b"PK\x03\x04" or (raw, flags, method) != (member.raw, member.flags, member.method) or not agrees:
        raise refused(f"The archive's two headers of {named(member.name)} contradict each other.")


def _check_descriptor(source: Forward, member: Member, length: int) -> None:
    """The descriptor fills the gap to the next member, signed or not, in 32 or 64 bits, and repeats the sizes."""
    shape = _DESCRIPTORS.get(length)
    expected = (b"PK\x07\x08", member.crc, member.packed, member.size)
    said = shape.unpack(source.exactly(length)) if shape else ()
    if not said or said != expected[-len(said) :]:
        raise refused(f"The archive's member {named(member.name)} is followed by numbers that contradict it.")


def _content(source: Forward, member: Member, limits: Limits) -> Iterator[memoryview]:
    """Yield the member's content, exactly as long as stated, and its CRC-32 proven at the end."""
    if limits.ratio is not None and member.size > max(_FREE, member.packed * limits.ratio):
        raise refused(f"The archive's member {named(member.name)} unfolds to more than {limits.ratio} times its size.")
    packed = source.pieces(member.packed)
    crc = length = 0
    for piece in packed if member.method == 0 else _inflated(packed, member):
        length += len(piece)
        if length > member.size:
            break
        crc = isal_zlib.crc32(piece, crc)
        yield piece
    if (length, crc) != (member.size, member.crc):
        raise refused(f"The archive's member {named(member.name)} does not match its length or CRC-32.")


def _inflated(packed: Iterator[memoryview], member: Member) -> Iterator[memoryview]:
    """Inflate one raw deflate stream that ends exactly where its bytes do."""
    decoder = isal_zlib.decompressobj(wbits=-15)
    try:
        for piece in packed:
            rest: bytes | memoryview = piece
            while True:
                out = decoder.decompress(rest, _OUTPUT)
                yield memoryview(out)
                rest = decoder.unconsumed_tail
                if not rest and len(out) < _OUTPUT:
                    break
    except _BROKEN as error:
        raise refused(f"The archive's member {named(member.name)} is broken: {error}.") from error
    if not decoder.eof or decoder.unused_data:
        raise refused(f"The archive's member {named(member.name)} is cut off, or hides something after its content.")


def _target(source: Forward, member: Member, limits: Limits) -> str:
    """A link's content is its target."""
    if member.size > MAX_PATH:
        raise refused(f"The link {named(member.name)} in the archive has a target of {member.size} bytes.")
    return decoded(b"".join(bytes(piece) for piece in _content(source, member, limits)))
