"""Extension headers before a tar member: pax records, and GNU's long names.

Only ``path``, ``linkpath`` and ``size`` are taken. Times, owners, comments and extended attributes are left out of a
slot on purpose; anything else might change what the member means, so it is refused.
"""

from pawld.formats.tar.header import Header
from pawld.formats.tar.refusal import decoded, named, refused

EXTENSIONS = frozenset("xgLK")  # kinds of headers that speak of the member after them
MAX_EXTENSION = 64 * 1024  # bytes of one extension header
_LARGEST_OCTAL = 8**11 - 1  # bytes; a size beyond it does not fit the header's own field

_TAKEN = {"path", "linkpath", "size"}
_LEFT_OUT = {"atime", "ctime", "mtime", "uid", "gid", "uname", "gname", "comment"}
_LEFT_OUT_FAMILIES = (
    "LIBARCHIVE.",
    "SCHILY.xattr.",
    "SCHILY.acl.",
    "SCHILY.dev",
    "SCHILY.ino",
    "SCHILY.nlink",
    "SCHILY.fflags",
    "RHT.security.selinux",
    "MSWINDOWS.rawsd",
)


class Extensions:
    """What the extension headers since the last member said of the next one."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._seen: set[str] = set()

    def add(self, header: Header, content: bytes) -> None:
        """Take one extension header; ``RejectedError`` where it is damaged, repeated or not understood."""
        if header.kind in self._seen:
            raise refused(f"The archive has two extension headers in a row: {named(header.name)}.")
        if header.kind == "g":
            _refuse_global(pax_records(content))
            return
        self._seen.add(header.kind)
        match header.kind:
            case "x":
                self._say(pax_records(content))
            case "L":
                self._say({"path": _long_name(content)})
            case _:
                self._say({"linkpath": _long_name(content)})

    def applied(self, header: Header) -> Header:
        """Return *header* with what was said of it, and start anew."""
        if self._said:
            header.name = self._said.get("path", header.name)
            header.link = self._said.get("linkpath", header.link)
            header.size = self._size(header)
            self._said = {}
        self._seen.clear()
        return header

    @property
    def pending(self) -> bool:
        """Whether the member that was spoken of has not come yet."""
        return bool(self._seen)

    def _say(self, records: dict[str, str]) -> None:
        if records.keys() & self._said.keys():
            raise refused(f"The archive names a member twice: {named(str(records))}.")
        self._said |= records

    def _size(self, header: Header) -> int:
        said = self._said.get("size")
        if said is None:
            return header.size
        if not (said.isascii() and said.isdigit() and len(said) <= 18):  # noqa: PLR2004 - fits 64 bits
            raise refused(f"The archive's member {named(header.name)} has a size that is no number.")
        size = int(said)
        if size <= _LARGEST_OCTAL and size != header.size:
            raise refused(f"The archive's member {named(header.name)} has two sizes: {size} and {header.size}.")
        return size


def pax_records(content: bytes) -> dict[str, str]:
    """Return the records that are taken from one pax header; ``RejectedError`` where one is damaged or unknown."""
    records: dict[str, str] = {}
    seen: set[str] = set()
    while content:
        record, content = _first_record(content)
        raw_key, equals, value = record.partition(b"=")
        key = decoded(raw_key)
        if not equals or key in seen:
            raise refused(f"The archive has a damaged extension header: {named(record)}.")
        seen.add(key)
        if key in _TAKEN:
            records[key] = _checked_value(value)
        elif key not in _LEFT_OUT and not key.startswith(_LEFT_OUT_FAMILIES):
            raise refused(f"The archive has an extension header that is not understood: {named(key)}.")
    return records


def _first_record(content: bytes) -> tuple[bytes, bytes]:
    """Split the first ``LENGTH KEY=VALUE`` line off; the length counts all of it, itself too."""
    digits, _, _ = content[:8].partition(b" ")
    length = int(digits) if digits.isdigit() else 0
    if not len(digits) + 2 <= length <= len(content) or content[length - 1 : length] != b"\n":
        raise refused(f"The archive has a damaged extension header: {named(content[:40])}.")
    return content[len(digits) + 1 : length - 1], content[length:]


def _checked_value(value: bytes) -> str:
    text = decoded(value)
    if not text or "\0" in text:
        raise refused(f"The archive has an extension header with an empty or cut value: {named(text)}.")
    return text


def _long_name(content: bytes) -> str:
    """A GNU long name ends in one NUL."""
    return _checked_value(content.removesuffix(b"\0"))


def _refuse_global(records: dict[str, str]) -> None:
    if records:
        raise refused(f"The archive renames all of its members at once: {named(str(records))}.")
