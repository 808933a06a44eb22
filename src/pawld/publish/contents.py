"""What a build unpacks to: the caps that its record gives the extractor, and whether its entry point is there.

This lists the publisher's own file with the standard library; it is no safe extractor and writes nothing. Builds that
a host would certainly refuse are refused here already, where somebody can mend them.
"""

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import zstandard

from pawld.errors import RejectedError
from pawld.model import Unpacked
from pawld.reasons import Reason

_TAR_MODES: dict[str, Literal["r|gz", "r|xz"]] = {"tar.gz": "r|gz", "tar.xz": "r|xz"}
ARCHIVES = ("tar.gz", "tar.zst", "tar.xz", "zip")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError)


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    size: int
    is_file: bool


def unpacked(path: Path, name: str, format_: str, entrypoint: str | None) -> Unpacked | None:
    """Return bytes and files of the archive *name*, one file for a single program, None for an installer package.

    Regular files count, folders and links do not: a host demands that what it unpacked is exactly this.

    Raises:
        RejectedError: archive_refused where the archive is broken, empty, unsafe, or lacks *entrypoint*.
    """
    if format_ == "file":
        return Unpacked(path.stat().st_size, 1)
    if format_ not in ARCHIVES:
        return None
    members = list(_listed(path, name, format_))
    programs = {member.name for member in members if member.is_file}
    if not programs:
        raise RejectedError(Reason.ARCHIVE_REFUSED, f"{name} holds no file.")
    if entrypoint is not None and entrypoint not in programs:
        raise RejectedError(Reason.ARCHIVE_REFUSED, f"{name} holds no file {entrypoint!r} to be its entry point.")
    files = [member for member in members if member.is_file]
    return Unpacked(sum(member.size for member in files), len(files))


def _listed(path: Path, name: str, format_: str) -> Iterator[_Member]:
    try:
        for member in _zip(path) if format_ == "zip" else _tar(path, name, format_):
            _refuse_unsafe(name, member.name)
            yield member
    except _BROKEN as error:
        raise RejectedError(
            Reason.ARCHIVE_REFUSED, f"{name} is no whole {format_} archive: {type(error).__name__}: {error}."
        ) from error


def _tar(path: Path, name: str, format_: str) -> Iterator[_Member]:
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(path.open("rb"))
        if format_ == "tar.zst":
            file = stack.enter_context(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True))
        # A stream is read once and to its end, so that a cut archive is noticed.
        archive = stack.enter_context(tarfile.open(fileobj=file, mode=_TAR_MODES.get(format_, "r|")))
        for member in archive:
            if not (member.isfile() or member.isdir() or member.issym()):
                raise RejectedError(
                    Reason.ARCHIVE_REFUSED, f"{name} holds {member.name!r}, which is no file, folder or symlink."
                )
            yield _Member(_plain(member.name), member.size if member.isfile() else 0, member.isfile())


def _zip(path: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            link = stat.S_ISLNK(member.external_attr >> 16)
            yield _Member(_plain(member.filename), member.file_size, not (member.is_dir() or link))


def _plain(name: str) -> str:
    return name.removeprefix("./").rstrip("/")


def _refuse_unsafe(archive: str, name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
        raise RejectedError(
            Reason.ARCHIVE_REFUSED, f"{archive} holds {name!r}, a name that leads out of the folder it is unpacked to."
        )
