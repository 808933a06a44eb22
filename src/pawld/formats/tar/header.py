"""One 512-byte header of a tar archive, read strictly: POSIX ustar, and GNU's form of it.

POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format". What is not understood is refused.
"""

import struct
from functools import lru_cache
from zlib import adler32

from pawld.formats.tar.refusal import decoded, named, refused
from pawld.values import dataclass

BLOCK = 512  # bytes
ZEROS = bytes(BLOCK)

_POSIX = b"ustar\x0000"
_GNU = b"ustar  \x00"
_BLANK = 8 * ord(" ")  # what the checksum's own field counts as
# In order: a name, its mode, (owner,) size, (time,) checksum, kind, link, the magic, (owner, device,) and a prefix.
_FIELDS = struct.Struct("100s8s16x12s12x8sc100s8s80x155s12x")
_HALF = BLOCK // 2


@dataclass(slots=True)
class Header:
    """What one header says; extension headers before it may have the last word.

    Attributes:
        kind: the type flag; ``0`` where it is NUL, as old writers have it.
        size: of the content in bytes.
    """

    kind: str
    name: str
    link: str
    size: int
    mode: int


def read_header(block: memoryview) -> Header:
    """Read *block*; ``RejectedError`` where it is damaged, or of a form that is not known."""
    name, mode, size, checksum, kind, link, form, prefix = _FIELDS.unpack(block)
    if _sum(block) - sum(checksum) + _BLANK != _octal(checksum, name, "checksum"):
        raise refused(f"The archive's header of {named(_text(name))} does not match its checksum.")
    if form not in (_POSIX, _GNU):
        raise refused(f"The archive's header of {named(_text(name))} is neither ustar nor GNU tar.")
    path = _text(name)
    if form == _POSIX and prefix[0]:
        path = _text(prefix) + b"/" + path
    told = chr(kind[0]) if kind[0] else "0"
    leads_to = decoded(_text(link)) if link[0] else ""
    return Header(told, decoded(path), leads_to, _size(size, name), _mode(mode) or _octal(mode, name, "mode"))


def _sum(block: memoryview) -> int:
    """Add up the bytes, as the low half of Adler-32 does modulo 65521, which 256 of them stay below (RFC 1950)."""
    return (adler32(block[:_HALF]) & 0xFFFF) + (adler32(block[_HALF:]) & 0xFFFF) - 2


def _text(field: bytes) -> bytes:
    """Return the field up to its NUL; ``RejectedError`` where something is hidden after it."""
    text, _, rest = field.partition(b"\0")
    if not ZEROS.startswith(rest):
        raise refused(f"The archive's member {named(text)} has a NUL in its name.")
    return text


def _size(field: bytes, name: bytes) -> int:
    """Read a size: octal, or base 256 where GNU tar marks it so."""
    if field[0] == 0x80:  # noqa: PLR2004 - the mark of a positive number in base 256
        return int.from_bytes(field[1:], "big")
    return _octal(field, name, "size")


def _octal(field: bytes, name: bytes, what: str) -> int:
    number = _number(field)
    if number is None:
        raise refused(f"The archive's header of {named(name.rstrip(bytes(1)))} has a {what} that is no number.")
    return number


def _number(field: bytes) -> int | None:
    """Read octal digits after spaces and before spaces and NULs; ``int`` alone takes signs, underscores and more."""
    digits = field.rstrip(b" \0").lstrip(b" ")
    return int(digits, 8) if digits and not digits.strip(b"01234567") else None


@lru_cache(maxsize=64)
def _mode(field: bytes) -> int | None:
    """Read a mode, of which an archive has few; None where it is none."""
    return _number(field)
