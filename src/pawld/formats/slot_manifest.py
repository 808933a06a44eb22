"""The manifest of a slot, ``.pawld-slot.json``: what was installed, and every byte that belongs to it.

It is written last, so a slot without a readable one was never complete. It is read strictly: a torn or zeroed file is
a ``ValueError``, never half a manifest. It proves nothing to anybody but this host; the signed record did that before.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

FILENAME = ".pawld-slot.json"
_SCHEMA = 1
_LIMIT = 512 * 1024**2  # bytes; a million files need about a fifth of it


@dataclass(frozen=True, slots=True)
class FileEntry:
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
class SlotManifest:
    """What a slot is and holds.

    Attributes:
        sha256: the digest of the whole build that it was unpacked from.
        install_id: of the root that made it; a slot with another one is not ours.
        directories: every directory below the slot, so that an empty one is missed too.
    """

    version: str
    sha256: str
    sequence: int
    entrypoint: str | None
    install_id: str
    installed_at: datetime
    files: tuple[FileEntry, ...]
    directories: tuple[str, ...] = ()


def write(manifest: SlotManifest) -> bytes:
    """Return the bytes that read back as *manifest*."""
    fields = asdict(manifest) | {"schema": _SCHEMA, "installed_at": manifest.installed_at.isoformat()}
    fields["files"] = [
        {"path": one.path, "size": one.size, "mode": one.mode, "sha256": one.sha256}
        | ({} if one.target is None else {"target": one.target})
        for one in manifest.files
    ]
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def read(data: bytes) -> SlotManifest:
    """Read a manifest back; ``ValueError`` where it is torn, of another schema or not a manifest at all."""
    if len(data) > _LIMIT:
        raise ValueError("the slot manifest is longer than any can be")
    document = json.loads(data)
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
        raise ValueError("it is not a slot manifest of schema 1")
    return SlotManifest(
        version=_text(document, "version"),
        sha256=_text(document, "sha256"),
        sequence=_number(document, "sequence"),
        entrypoint=None if document.get("entrypoint") is None else _text(document, "entrypoint"),
        install_id=_text(document, "install_id"),
        installed_at=datetime.fromisoformat(_text(document, "installed_at")),
        files=tuple(_entry(one) for one in _items(document, "files")),
        directories=tuple(_plain(one) for one in _items(document, "directories")),
    )


def _entry(fields: Any) -> FileEntry:
    if not isinstance(fields, dict):
        raise ValueError("an entry of the slot manifest is no object")  # noqa: TRY004 - one error for a bad document
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
