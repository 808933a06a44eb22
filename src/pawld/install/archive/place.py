"""Makes what the tree decided: directories, files and links below the slot's directory, by descriptor.

Nothing here follows a link: directories are entered one by one with ``O_NOFOLLOW`` from the root's descriptor, files
are made with ``O_EXCL``, and the mode is given at the open. Windows has no such calls; there paths are used, in a
directory that only we may write to. Nothing is synced here: the slot does that once for the whole tree.
"""

import os
from pathlib import Path
from typing import Protocol

from pawld.errors import TransientError
from pawld.install.archive.tree import Folder
from pawld.reasons import Reason

FOLDER_MODE = 0o755  # of every directory in a slot, whatever the archive says: an agent may run as another user

_NEW_FILE = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class Place(Protocol):
    """Where an archive is unpacked to."""

    def make_folder(self, folder: Folder) -> None:
        """Make this directory; the one above it is there."""

    def make_file(self, folder: Folder, leaf: str, mode: int) -> int:
        """Make an empty file in *folder*, which is there, and return its descriptor, open for writing."""

    def make_link(self, folder: Folder, leaf: str, target: str) -> None:
        """Make a symbolic link in *folder*."""

    def close(self) -> None:
        """Let go of every descriptor."""


def place_in(root: Path) -> Place:
    """Return the place *root*, a directory that the caller made for this; ``TransientError`` where it is not empty."""
    place: Place = ByDescriptor(root) if os.open in os.supports_dir_fd else ByPath(root)
    if next(root.iterdir(), None) is not None:
        place.close()
        raise TransientError(Reason.IO_FAILED, f"The staging directory {str(root)!r} is not empty.")
    return place


class ByDescriptor:
    """A place on a system with ``openat``. It holds the directories from the root to the current one open."""

    def __init__(self, root: Path) -> None:
        self._open: list[tuple[Folder | None, int]] = [(None, os.open(root, _FOLDER))]
        self._current: Folder | None = None
        self._masked = bool(_umask() & FOLDER_MODE)

    def make_folder(self, folder: Folder) -> None:
        """Make it, and set the mode where the umask would spoil it."""
        above = self._enter(folder.lineage[:-1])
        os.mkdir(folder.leaf, FOLDER_MODE, dir_fd=above)
        if self._masked:
            os.fchmod(self._enter(folder.lineage), FOLDER_MODE)

    def make_file(self, folder: Folder, leaf: str, mode: int) -> int:
        """Make it with ``O_EXCL``; the common case is a file beside the one before."""
        above = self._open[-1][1] if folder is self._current else self._enter(folder.lineage)
        self._current = folder
        descriptor = os.open(leaf, _NEW_FILE, mode, dir_fd=above)
        if self._masked:
            os.fchmod(descriptor, mode)
        return descriptor

    def make_link(self, folder: Folder, leaf: str, target: str) -> None:
        """Make it; ``symlinkat`` never follows and never replaces."""
        os.symlink(target, leaf, dir_fd=self._enter(folder.lineage))

    def close(self) -> None:
        """Close all of them, innermost first."""
        while self._open:
            os.close(self._open.pop()[1])

    def _enter(self, lineage: tuple[Folder, ...]) -> int:
        """Hold exactly *lineage* open below the root; return the last descriptor."""
        self._current = None
        common = 0
        while common < len(lineage) and common + 1 < len(self._open) and self._open[common + 1][0] is lineage[common]:
            common += 1
        while len(self._open) > common + 1:
            os.close(self._open.pop()[1])
        for folder in lineage[common:]:
            self._open.append((folder, os.open(folder.leaf, _FOLDER, dir_fd=self._open[-1][1])))
        return self._open[-1][1]


class ByPath:
    """A place on Windows: full paths, in a directory whose access list keeps everyone else out."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def make_folder(self, folder: Folder) -> None:
        """Make it; modes mean nothing there."""
        self._path(folder).mkdir()

    def make_file(self, folder: Folder, leaf: str, mode: int) -> int:
        """Make it, in binary mode."""
        return os.open(self._path(folder) / leaf, _NEW_FILE, mode)

    def make_link(self, folder: Folder, leaf: str, target: str) -> None:
        """Make it; Windows wants a privilege for that, which a service has."""
        (self._path(folder) / leaf).symlink_to(target)

    def close(self) -> None:
        """Nothing is held."""

    def _path(self, folder: Folder) -> Path:
        return self._root.joinpath(*(one.leaf for one in folder.lineage))


def _umask() -> int:
    """Return the umask. It can only be read by setting it; it is put back at once."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
