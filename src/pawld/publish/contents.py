"""What a build unpacks to: the caps that its record gives the extractor, the digest of the tree, the entry point.

This lists the publisher's own file with the standard library; it is no safe extractor and writes nothing. Builds that
a host would certainly refuse are refused here already, where somebody can mend them.
"""

import hashlib
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Literal

import zstandard

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import mode_of, tree_sha256, tree_text
from pawld.model import Unpacked
from pawld.reasons import Reason
from pawld.values import dataclass

_TAR_MODES: dict[str, Literal["r|gz", "r|xz"]] = {"tar.gz": "r|gz", "tar.xz": "r|xz"}
_UNIX = (3, 19)  # the systems whose modes a zip member carries: Unix, macOS
ARCHIVES = ("tar.gz", "tar.zst", "tar.xz", "zip")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError)
_BLOCK = 256 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive.

    Attributes:
        content: its bytes, to be read before the next member is asked for; None for a directory or a link.
        target: where a link leads.
    """

    name: str
    size: int
    mode: int
    content: IO[bytes] | None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """What an archive becomes on a host."""

    files: tuple[FileEntry, ...]
    directories: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The digest that the record states of it."""
        return tree_sha256(self.files, self.directories)

    @property
    def text(self) -> bytes:
        """The list of its files, of which that is the digest."""
        return tree_text(self.files, self.directories)

    @property
    def unpacked(self) -> Unpacked:
        """Bytes and number of the regular files; folders and links do not count."""
        regular = [one for one in self.files if one.target is None]
        return Unpacked(sum(one.size for one in regular), len(regular))


def tree_of(path: Path, name: str, format_: str, entrypoint: str | None = None) -> Tree:
    """Return what the archive *name* unpacks to: a host demands that what it unpacked is exactly this.

    Raises:
        RejectedError: archive_refused where the archive is broken, empty, unsafe, or lacks *entrypoint*.
    """
    files: list[FileEntry] = []
    directories: set[str] = set()
    with readable(name, format_):
        for member in members(path, name, format_):
            directories.update(_folders(member))
            if member.content is not None:
                files.append(FileEntry(member.name, member.size, mode_of(member.mode), _digest(member.content)))
            elif member.target is not None:
                files.append(FileEntry(member.name, 0, 0, "", member.target))
    programs = {one.path for one in files if one.target is None}
    if not programs:
        raise RejectedError(Reason.ARCHIVE_REFUSED, f"{name} holds no file.")
    if entrypoint is not None and entrypoint not in programs:
        raise RejectedError(Reason.ARCHIVE_REFUSED, f"{name} holds no file {entrypoint!r} to be its entry point.")
    return Tree(tuple(files), tuple(sorted(directories)))


def members(path: Path, name: str, format_: str) -> Iterator[Member]:
    """Yield the members in the archive's order; ``RejectedError`` (archive_refused) as above."""
    with readable(name, format_):
        for member in _zip(path) if format_ == "zip" else _tar(path, name, format_):
            _refuse_unsafe(name, member.name)
            yield member


@contextmanager
def readable(name: str, format_: str) -> Iterator[None]:
    """Translate what a broken archive makes its reader raise; also around what is done with a member's content."""
    try:
        yield
    except _BROKEN as error:
        raise RejectedError(
            Reason.ARCHIVE_REFUSED, f"{name} is no whole {format_} archive: {type(error).__name__}: {error}."
        ) from error


def _tar(path: Path, name: str, format_: str) -> Iterator[Member]:
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
            target = member.linkname if member.issym() else None
            content = archive.extractfile(member) if member.isfile() else None
            yield Member(_plain(member.name), member.size if content else 0, member.mode, content, target)


def _zip(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16 if member.create_system in _UNIX else 0
            if member.is_dir():
                yield Member(_plain(member.filename), 0, mode, None)
            elif stat.S_ISLNK(mode):
                yield Member(_plain(member.filename), 0, mode, None, archive.read(member).decode())
            else:
                with archive.open(member) as content:
                    yield Member(_plain(member.filename), member.file_size, mode, content)


def _folders(member: Member) -> Iterator[str]:
    """The directories that a host makes for this member."""
    above = [str(one) for one in PurePosixPath(member.name).parents]
    if member.content is None and member.target is None:
        above.append(member.name)
    return (one for one in above if one not in ("", "."))


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := content.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _plain(name: str) -> str:
    return name.removeprefix("./").rstrip("/")


def _refuse_unsafe(archive: str, name: str) -> None:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in parts[0]:
        raise RejectedError(
            Reason.ARCHIVE_REFUSED, f"{archive} holds {name!r}, a name that leads out of the folder it is unpacked to."
        )
