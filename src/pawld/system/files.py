"""Durable writes: what was reported as done is there after a power cut.

Two rules carry everything: data is durable after fsync of its file, a name after fsync of its directory. ``rename``
is the only atomic step. See ``tests/crash`` for the proof by enumeration.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_F_FULLFSYNC = 51  # <sys/fcntl.h> on macOS; Python names it there alone
_MACOS = sys.platform == "darwin"
_WINDOWS = sys.platform == "win32"


def fsync(descriptor: int) -> None:
    """Make the file's data durable; on macOS through the drive's cache as well (``F_FULLFSYNC``)."""
    if _MACOS:
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.fcntl(descriptor, _F_FULLFSYNC)
        return
    os.fsync(descriptor)


def fsync_directory(directory: Path) -> None:
    """Make the names in *directory* durable. Windows has no such call and journals names itself."""
    if _WINDOWS:
        return
    with opened_directory(directory) as descriptor:
        fsync(descriptor)


@contextmanager
def opened_directory(directory: Path) -> Iterator[int]:
    """Hold *directory* open, refusing a symbolic link in its place."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace *path* by *data*: after a crash it holds the old or the new bytes, whole, and never neither."""
    staged = path.with_name(f".{path.name}.new")
    staged.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(staged, flags | getattr(os, "O_BINARY", 0), mode), "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(data)
        file.flush()
        fsync(file.fileno())
    staged.replace(path)
    fsync_directory(path.parent)


def make_directory(path: Path, *, mode: int = 0o755) -> None:
    """Create *path* and its parents, each name durable; those that are there stay as they are."""
    missing = [path, *path.parents]
    for directory in reversed([one for one in missing if not one.exists()]):
        directory.mkdir(mode=mode, exist_ok=True)
        fsync_directory(directory.parent)
