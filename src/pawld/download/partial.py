"""The unfinished file: how far it is, where that came from, and what of it survives a crash.

Beside ``<sha256>.unverified`` lies ``<sha256>.resume``, a small JSON document: the strong ETag and the place that the
bytes came from, and how many of them were synced at the last checkpoint. Bytes are appended without syncing, so after
a reboot only the checkpoint counts; after the mere end of a process, all of them do.
"""

import json
import os
import stat
import sys
from dataclasses import asdict
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO, Self

from pawld.download.disk import disk_errors
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.files import fsync, make_directory, write_durably
from pawld.values import dataclass

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MAX_NOTE = 4096  # bytes
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_FLAGS = (
    os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class Note:
    """What the ``.resume`` file says.

    Attributes:
        etag: strong, with its quotes.
        place: the location's URL without its query.
        origin: scheme and host that answered.
        synced: bytes that were durable when this was written.
        boot: the boot in which it was written; empty where the system does not say.
    """

    etag: str
    place: str
    origin: str
    synced: int
    boot: str


class Partial:
    """One unfinished download, held open. A context manager that closes the file unless it was handed on."""

    def __init__(self, path: Path) -> None:
        """Open or create *path*, never through a link; ``OperatorError`` or ``TransientError`` as ``disk`` says."""
        with disk_errors(path):
            make_directory(path.parent, mode=0o700)
            _check_directory(path.parent)
            descriptor = os.open(path, _FLAGS, 0o600)
        self.path = path
        self.file = _checked(descriptor, path)
        self._note_path = path.with_suffix(".resume")
        self._handed_on = False
        try:
            self._sweep_notes()
            self.size = os.fstat(descriptor).st_size
            self.note = self._survived()
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._handed_on:
            return
        self.file.close()
        if self.size == 0:
            with disk_errors(self.path):
                self.path.unlink(missing_ok=True)

    def append(self, data: bytes | memoryview) -> None:
        """Write at the end; ``OSError`` as it comes, for the loop around it to translate once."""
        view = memoryview(data)
        descriptor = self.file.fileno()
        while view:
            written = os.write(descriptor, view)
            self.size += written
            view = view[written:]

    def read_into(self, view: memoryview, offset: int) -> bool:
        """Fill *view* from *offset*; False where there are not enough bytes. The end of the file is unaffected."""
        with disk_errors(self.path):
            self.file.seek(offset)
            whole = self.file.readinto(view) == len(view)
            self.file.seek(0, os.SEEK_END)
        return whole

    def cut(self, size: int) -> None:
        """Drop what lies beyond *size*, durably, so that no crash brings it back under a newer note."""
        with disk_errors(self.path):
            if self.size != size:
                self.file.truncate(size)
                fsync(self.file.fileno())
            self.size = self.file.seek(size)

    def remember(self, etag: str, place: str, origin: str) -> None:
        """Note where the bytes from here on come from; an empty *etag* means that they cannot be resumed."""
        if not etag:
            self.forget()
            return
        self.note = Note(etag, place, origin, self.size, _boot())
        self._write_note()

    def checkpoint(self) -> None:
        """Make what is there durable, and note how much that is."""
        if self.note is not None:
            with disk_errors(self.path):
                fsync(self.file.fileno())
            self.note = Note(self.note.etag, self.note.place, self.note.origin, self.size, _boot())
            self._write_note()

    def forget(self) -> None:
        """Drop the note: the next transfer starts from nothing."""
        self.note = None
        with disk_errors(self._note_path):
            self._note_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Begin from nothing: what was there is worth nothing. An empty file is removed when this is closed."""
        self.forget()
        self.cut(0)

    def hand_on(self) -> BinaryIO:
        """Return the open file at its start; from now on it is the caller's to close."""
        self._handed_on = True
        self.file.seek(0)
        return self.file

    def _sweep_notes(self) -> None:
        """Remove the notes of downloads that are there no more."""
        with disk_errors(self.path.parent):
            for note in self.path.parent.glob("*.resume*"):
                if not note.with_name(f"{note.name.partition('.')[0]}{self.path.suffix}").exists():
                    note.unlink(missing_ok=True)

    def _survived(self) -> Note | None:
        """Read the note; one that cannot be read is set aside, and one from before a reboot cuts the file."""
        note = self._read_note()
        if note is not None and (not note.boot or note.boot != _boot()) and note.synced < self.size:
            self.cut(max(0, note.synced))
        self.file.seek(0, os.SEEK_END)
        return note

    def _read_note(self) -> Note | None:
        try:
            return _parsed(self._note_path.read_bytes()[:_MAX_NOTE])
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, OSError):
            with disk_errors(self._note_path):
                self._note_path.replace(self._note_path.with_suffix(".resume.damaged"))
            return None

    def _write_note(self) -> None:
        if self.note is not None:
            with disk_errors(self._note_path):
                write_durably(self._note_path, json.dumps(asdict(self.note)).encode())


def _check_directory(directory: Path) -> None:
    """Refuse one that another user could exchange what lies in: whoever may write to the root can plant it."""
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        raise OperatorError(Reason.PERMISSION_DENIED, f"{directory} is a link or no directory; remove it.")
    if sys.platform != "win32" and (facts.st_uid not in _ours() or facts.st_mode & _OTHERS_WRITE):
        raise OperatorError(
            Reason.PERMISSION_DENIED,
            f"Others than the user of pawld may write to {directory}; look who made it so, and remove it.",
        )


def _checked(descriptor: int, path: Path) -> BufferedRandom:
    """Return the file of *descriptor* where nobody else holds it, and close it otherwise."""
    try:
        _check_file(descriptor, path)
        return os.fdopen(descriptor, "r+b")
    except BaseException:
        os.close(descriptor)
        raise


def _check_file(descriptor: int, path: Path) -> None:
    facts = os.fstat(descriptor)
    foreign = sys.platform != "win32" and facts.st_uid not in _ours()
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink > 1 or foreign:
        raise OperatorError(Reason.PERMISSION_DENIED, f"{path} is not a file of its own; remove it.")
    if sys.platform != "win32":
        with disk_errors(path):
            os.fchmod(descriptor, 0o600)


def _ours() -> tuple[int, ...]:
    """Whoever pawld runs as, and root, who may do anything here anyway."""
    return (0, os.geteuid()) if sys.platform != "win32" else ()


def _parsed(document: bytes) -> Note:
    """``ValueError`` or ``TypeError`` where it is no note."""
    note = Note(**json.loads(document))
    kinds = {"etag": str, "place": str, "origin": str, "synced": int, "boot": str}
    if not all(isinstance(getattr(note, name), kind) for name, kind in kinds.items()) or not _is_strong(note.etag):
        raise ValueError("not a note")
    return note


def strong_etag(value: str | None) -> str:
    """Return *value* where it is one strong entity tag (RFC 9110, 8.8.3); else an empty string."""
    return value if value and _is_strong(value) else ""


def _is_strong(value: str) -> bool:
    return (
        2 <= len(value) <= 256  # noqa: PLR2004 - the quotes; and no server needs more
        and value[0] == value[-1] == '"'
        and '"' not in value[1:-1]
        and value.isascii()
        and value.isprintable()
    )


def _boot() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
