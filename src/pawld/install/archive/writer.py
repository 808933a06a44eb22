"""Writes members below the slot's directory and counts them against the limits; the formats only read.

Every cap is checked before the byte, file or directory that would break it is made.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import EXECUTABLE, FILE_MODE, ListedFiles, TreeLines, mode_of
from pawld.install.archive.limits import KiB, Limits, Links, MiB, named, refused
from pawld.install.archive.links import check_links
from pawld.install.archive.names import relative
from pawld.install.archive.place import place_in
from pawld.install.archive.tree import Link, Tree
from pawld.model import Unpacked
from pawld.ports import Listed, Progress
from pawld.system.clone import clone
from pawld.values import dataclass

_BLOCK = 256 * KiB  # bytes of a single program that are read at once


@dataclass(frozen=True, slots=True)
class Written:
    """What an archive became.

    Attributes:
        entries: regular files, in the archive's order, and then links; as a slot's manifest lists them.
        totals: what a record states of this build: the bytes of its regular files, and their number.
        directories: every one of them, sorted.
    """

    entries: Sequence[FileEntry]
    totals: Unpacked
    directories: tuple[str, ...] = ()


def _first(source: BinaryIO, size: int) -> Iterator[memoryview]:
    while size and (block := source.read(min(size, _BLOCK))):
        size -= len(block)
        yield memoryview(block)


def unlisted() -> None:
    """Return no list: every file is hashed as it is written."""


class Writer:
    """The one way from an archive to the disk.

    Args:
        listed: the proven list of the build's files, whose digests are taken as they stand; only for a reader in this
            very process, which hands over what it made of proven bytes.
    """

    def __init__(self, into: Path, limits: Limits, progress: Progress, listed: Listed = unlisted) -> None:
        self.limits = limits
        self._listed = listed
        self._list: ListedFiles | None = None
        self._progress = progress
        self._tree = Tree()
        self._place = place_in(into)
        self._entries = TreeLines()
        self._links: list[Link] = []
        self._bytes = 0
        self._others = 0
        self._untold = 0

    def folder(self, name: str) -> None:
        """Make the directory *name*; the root itself is there already."""
        path = relative(name.removesuffix("/"))
        self.count_other()
        if path:
            for folder in self._tree.folder(path):
                self._place.make_folder(folder)

    def file(self, name: str, size: int, mode: int, pieces: Iterable[memoryview]) -> None:
        """Write the regular file *name* of *size* bytes, which *pieces* yields in full."""
        path, mode = relative(name), mode_of(mode)
        sha256 = self._known(path, size, mode)
        descriptor = self._made(path, size, mode)
        try:
            if sha256 is None:
                sha256 = self._written(descriptor, pieces)
            else:
                self._put(descriptor, pieces)
        finally:
            os.close(descriptor)
        self._entries.add_file(path, size, mode, sha256)

    def copy(self, name: str, size: int, mode: int, source: BinaryIO) -> str:
        """Write the regular file *name* with the first *size* bytes of *source*, sharing its blocks where possible.

        Return the digest of what stands there now, for the caller to compare.
        """
        path, mode = relative(name), mode_of(mode)
        descriptor = self._made(path, size, mode)
        try:
            sha256 = self._copied(descriptor, source, size)
        finally:
            os.close(descriptor)
        self._entries.add_file(path, size, mode, sha256)
        return sha256

    def _made(self, path: str, size: int, mode: int) -> int:
        """Make the file *path*, empty, and the directories above it that are missing; return its descriptor."""
        self._count_file(path, size)
        folder, leaf, missing = self._tree.parent(path)
        for one in missing:
            self.count_other()
            self._place.make_folder(one)
        self._tree.claim(folder, leaf, leaf)
        return self._place.make_file(folder, leaf, mode)

    def link(self, name: str, target: str) -> None:
        """Note the symbolic link *name*; it is made after all else, if the policy has it at all."""
        path = relative(name)
        if self.limits.links is Links.REFUSED:
            raise refused(f"The archive's member {named(path)} is a symbolic link, which this host does not unpack.")
        self.count_other()
        folder, leaf, missing = self._tree.parent(path)
        for one in missing:
            self._place.make_folder(one)
        link = Link(folder, leaf, path, target)
        self._tree.claim(folder, leaf, link)
        self._links.append(link)

    def program(self, name: str, stream: BinaryIO, sha256: str) -> None:
        """Write all of *stream*, which is proven to have this digest, as the one executable file *name*."""
        path = relative(name)
        descriptor = self._made(path, 0, FILE_MODE | EXECUTABLE)
        try:
            self._put(descriptor, self._capped(path, stream))
        finally:
            os.close(descriptor)
        self._entries.add_file(path, self._bytes, FILE_MODE | EXECUTABLE, sha256)

    def count_other(self) -> None:
        """Count something that is no file and yet costs: a directory, a link, an extension header."""
        self._others += 1
        if self._others > self.limits.others:
            raise refused(f"The archive has more than {self.limits.others} members that are no files.")

    def start(self) -> None:
        """Tell the progress that it begins."""
        self._progress.start("unpack", self.limits.stated.bytes if self.limits.stated else 0)

    def finish(self) -> Written:
        """Make the links, check the totals, and say what was written."""
        check_links(self._tree, self._links)
        totals = Unpacked(self._bytes, len(self._entries))  # of files alone: no link has been added yet
        for link in self._links:
            self._place.make_link(link.folder, link.leaf, link.target)
            self._entries.add_link(link.path, link.target)
        self._tell()
        self._progress.finish()
        self._check_totals(totals)
        return Written(self._entries, totals, self._tree.directories())

    def close(self) -> None:
        """Let go of the directories that are held open."""
        self._place.close()

    def _count_file(self, path: str, size: int) -> None:
        if len(self._entries) >= self.limits.files:
            raise refused(f"The archive holds more than {self.limits.files} files; {named(path)} would be one more.")
        self._count_bytes(path, size)

    def _capped(self, path: str, stream: BinaryIO) -> Iterator[memoryview]:
        while block := stream.read(_BLOCK):
            self._count_bytes(path, len(block))
            yield memoryview(block)

    def _count_bytes(self, path: str, size: int) -> None:
        self._bytes += size
        if self._bytes > self.limits.bytes:
            raise refused(f"The build holds more than {self.limits.bytes} bytes; {named(path)} does not fit.")

    def _known(self, path: str, size: int, mode: int) -> str | None:
        """Return the digest of a file that the list has; None while there is no list."""
        if self._list is None:
            self._list = self._listed()
        if self._list is None:
            return None
        if (sha256 := self._list.take(path, size, mode)) is None:
            raise refused(
                f"The archive's member {named(path)} of {size} bytes and mode {mode:o} is not among the files that the "
                "signed record states."
            )
        return sha256

    def _put(self, descriptor: int, pieces: Iterable[memoryview]) -> None:
        """Write what has a digest already."""
        for piece in pieces:
            self._write(descriptor, piece)

    def _written(self, descriptor: int, pieces: Iterable[memoryview]) -> str:
        """Write and hash; return the digest."""
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
            self._write(descriptor, piece)
        return digest.hexdigest()

    def _write(self, descriptor: int, piece: memoryview) -> None:
        length = len(piece)
        count = os.write(descriptor, piece)
        while count < length:  # a short write
            count += os.write(descriptor, piece[count:])
        self._untold += length
        if self._untold >= MiB:
            self._tell()

    def _copied(self, descriptor: int, source: BinaryIO, size: int) -> str:
        if not clone(source.fileno(), descriptor):
            return self._written(descriptor, _first(source, size))
        digest = hashlib.sha256()
        while block := os.read(descriptor, _BLOCK):
            digest.update(block)
        self._untold += size
        return digest.hexdigest()

    def _tell(self) -> None:
        """Tell the progress now and then only: there are thousands of small files."""
        self._progress.advance(self._untold)
        self._untold = 0

    def _check_totals(self, totals: Unpacked) -> None:
        stated = self.limits.stated
        if not totals.files:
            raise refused("The archive holds no file.")
        if stated is not None and totals != stated:
            raise refused(
                f"The archive holds {totals.bytes} bytes in {totals.files} files; "
                f"the signed record states {stated.bytes} bytes in {stated.files} files."
            )
