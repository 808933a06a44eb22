"""The manifest of a slot, ``.pawld-slot.json``: what was installed, and every byte that belongs to it.

It has two lines of JSON: the head says which build it is, the body lists its files. Most questions need the head alone,
and a body of ten thousand files takes 50 ms to read.

It is written last, so a slot without a readable one was never complete. It is read strictly: a torn or zeroed file is
a ``ValueError``, never half a manifest. It proves nothing to anybody but this host; the signed record did that before.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from pawld.values import dataclass

FILENAME = ".pawld-slot.json"
_SCHEMA = 1
_COMPACT = json.JSONEncoder(separators=(",", ":"))
_quoted = json.encoder.encode_basestring_ascii
HEAD_LIMIT = 64 * 1024  # bytes; the fields of a head are far shorter
_BODY, _END = b'{"files":[', b"]}\n"  # how the second line begins and ends
_BLOCK = 256 * 1024  # bytes that are looked at together
_LIMIT = 512 * 1024**2  # bytes; a million files need about a fifth of it


class FileEntry(NamedTuple):
    """One file of a slot, or a symbolic link where *target* is set.

    Attributes:
        path: relative to the slot, with forward slashes.
        size: in bytes; 0 for a link.
        mode: the permission bits; 0 where the system has none, and for a link.
        sha256: lower-case hexadecimal; empty for a link.
    """

    path: str
    size: int
    mode: int
    sha256: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class SlotHead:
    """What a slot is.

    Attributes:
        sha256: the digest of the whole build that it was unpacked from.
        install_id: of the root that made it; a slot with another one is not ours.
    """

    version: str
    sha256: str
    sequence: int
    entrypoint: str | None
    install_id: str
    installed_at: datetime


@dataclass(frozen=True, slots=True)
class SlotManifest(SlotHead):
    """What a slot is and holds.

    Attributes:
        directories: every directory below the slot, so that an empty one is missed too.
    """

    files: Sequence[FileEntry]
    directories: tuple[str, ...] = ()


def write(manifest: SlotManifest) -> Iterator[bytes]:
    """Yield the bytes that read back as *manifest*, file by file: a manifest may be longer than all else in memory."""
    head = {name: getattr(manifest, name) for name in ("version", "sha256", "sequence", "entrypoint", "install_id")}
    head |= {"schema": _SCHEMA, "installed_at": manifest.installed_at.isoformat()}
    yield _COMPACT.encode(head).encode() + b"\n" + _BODY
    between = b""
    for one in manifest.files:
        yield between + _written(one).encode()
        between = b","
    yield b'],"directories":' + _COMPACT.encode(manifest.directories).encode() + b"}\n"


def read(data: bytes) -> SlotManifest:
    """Read a manifest back; ``ValueError`` where it is torn, of another schema or not a manifest at all."""
    if len(data) > _LIMIT:
        raise ValueError("the slot manifest is longer than any can be")
    first, _, second = data.partition(b"\n")
    head, body = read_head(first), _object(second)
    return SlotManifest(
        version=head.version,
        sha256=head.sha256,
        sequence=head.sequence,
        entrypoint=head.entrypoint,
        install_id=head.install_id,
        installed_at=head.installed_at,
        files=tuple(_entry(one) for one in _items(body, "files")),
        directories=tuple(_plain(one) for one in _items(body, "directories")),
    )


def is_whole(file: BinaryIO) -> bool:
    """Whether *file* is a manifest from its first byte to its last, without a look at each of its files.

    What a power cut tears or zeroes is noticed; ``read`` takes a hundred times as long for thousands of files.
    """
    try:
        read_head(file.readline(HEAD_LIMIT))
    except (ValueError, RecursionError):
        return False
    if file.read(len(_BODY)) != _BODY:
        return False
    end = b""
    while block := file.read(_BLOCK):
        if b"\0" in block:
            return False
        end = (end + block)[-len(_END) :]
    return end == _END


def read_head(line: bytes) -> SlotHead:
    """Read the first line alone; ``ValueError`` as above."""
    fields = _object(line)
    if fields.get("schema") != _SCHEMA:
        raise ValueError("it is not a slot manifest of schema 1")
    return SlotHead(
        version=_text(fields, "version"),
        sha256=_text(fields, "sha256"),
        sequence=_number(fields, "sequence"),
        entrypoint=None if fields.get("entrypoint") is None else _text(fields, "entrypoint"),
        install_id=_text(fields, "install_id"),
        installed_at=datetime.fromisoformat(_text(fields, "installed_at")),
    )


def _written(one: FileEntry) -> str:
    """Write one entry by hand: through the encoder, thousands of them take as long as hashing the build does."""
    path, size, mode, sha256, target = one  # at once: by name, the five of them take as long as the rest
    leads_to = "" if target is None else f',"target":{_quoted(target)}'
    return f'{{"path":{_quoted(path)},"size":{size},"mode":{mode},"sha256":{_quoted(sha256)}{leads_to}}}'


def _object(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    if not isinstance(document, dict):
        raise ValueError("a line of the slot manifest is no object")  # noqa: TRY004 - one error for a bad document
    return document


def _entry(fields: Any) -> FileEntry:
    if not isinstance(fields, dict):
        raise ValueError("an entry of the slot manifest is no object")  # noqa: TRY004 - as above
    return FileEntry(
        path=_plain(_text(fields, "path")),
        size=_number(fields, "size"),
        mode=_number(fields, "mode"),
        sha256=_text(fields, "sha256"),
        target=None if fields.get("target") is None else _text(fields, "target"),
    )


def _plain(path: Any) -> str:
    """A manifest may name nothing outside its own slot, whoever wrote it."""
    if not isinstance(path, str) or any(part in ("", ".", "..") for part in path.split("/")):
        raise ValueError(f"not a path inside a slot: {path!r}")
    return path


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing in the slot manifest, or is no text")  # noqa: TRY004 - as above
    return value


def _number(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} is missing in the slot manifest, or is no number")
    return value


def _items(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    if not isinstance(value, list):
        raise ValueError(f"{name} is missing in the slot manifest, or is no list")  # noqa: TRY004 - as above
    return value
