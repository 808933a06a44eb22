"""One 512-byte header of a tar archive, read strictly: POSIX ustar, and GNU's form of it.

POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format". What is not understood is refused.
"""

import re
from dataclasses import dataclass

from pawld.install.archive.limits import named, refused
from pawld.install.archive.names import decoded

BLOCK = 512  # bytes
ZEROS = bytes(BLOCK)

_POSIX = b"ustar\x0000"
_GNU = b"ustar  \x00"
_OCTAL = re.compile(rb" *([0-7]+)[ \x00]*")
_BLANK = 8 * ord(" ")  # what the checksum's own field counts as


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
    raw = bytes(block)
    name = raw[:100]
    if sum(raw) - sum(raw[148:156]) + _BLANK != _octal(raw[148:156], name, "checksum"):
        raise refused(f"The archive's header of {named(_text(name))} does not match its checksum.")
    form = raw[257:265]
    if form not in (_POSIX, _GNU):
        raise refused(f"The archive's header of {named(_text(name))} is neither ustar nor GNU tar.")
    path = _text(name)
    if form == _POSIX and raw[345]:
        path = _text(raw[345:500]) + b"/" + path
    return Header(
        kind=chr(raw[156]) if raw[156] else "0",
        name=decoded(path),
        link=decoded(_text(raw[157:257])) if raw[157] else "",
        size=_size(raw[124:136], name),
        mode=_octal(raw[100:108], name, "mode"),
    )


def _text(field: bytes) -> bytes:
    """Return the field up to its NUL; ``RejectedError`` where something is hidden after it."""
    text, _, hidden = field.partition(b"\x00")
    if hidden.strip(b"\x00"):
        raise refused(f"The archive's member {named(text)} has a NUL in its name.")
    return text


def _size(field: bytes, name: bytes) -> int:
    """Read a size: octal, or base 256 where GNU tar marks it so."""
    if field[0] == 0x80:  # noqa: PLR2004 - the mark of a positive number in base 256
        return int.from_bytes(field[1:], "big")
    return _octal(field, name, "size")


def _octal(field: bytes, name: bytes, what: str) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise refused(f"The archive's header of {named(name.rstrip(bytes(1)))} has a {what} that is no number.")
    return int(match[1], 8)
