"""Durable writes: what was reported as done is there after a power cut.

Two rules carry everything: data is durable after fsync of its file, a name after fsync of its directory. ``rename``
is the only atomic step. See ``tests/crash`` for the proof by enumeration.
"""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import ctypes

_AT_FDCWD = -100  # <fcntl.h> on Linux
_RENAME_EXCHANGE = 2  # renameat2(2)
_F_FULLFSYNC = 51  # <sys/fcntl.h> on macOS; Python names it there alone
_MACOS = sys.platform == "darwin"
_LINUX = sys.platform == "linux"
_WINDOWS = sys.platform == "win32"
_HELD = (5, 32, 33)  # ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION
_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)  # seconds before each further try

T = TypeVar("T")


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
    write_pieces_durably(path, (data,), mode=mode)


def write_pieces_durably(path: Path, pieces: Iterable[bytes], *, mode: int = 0o600) -> None:
    """Do the same with all of *pieces*, one after the other."""
    staged = staged_name(path)
    staged.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    with open(os.open(staged, flags | getattr(os, "O_BINARY", 0), mode), "wb") as file:  # noqa: PTH123 - a descriptor
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), mode)  # whatever the umask took away
        file.writelines(pieces)
        file.flush()
        fsync(file.fileno())
    staged.replace(path)
    fsync_directory(path.parent)


def patiently(act: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Do it, again and again for 2.5 s while Windows says that somebody holds the file, as scanners do for a moment."""
    for wait in _WAITS:
        try:
            return act()
        except OSError as error:
            if getattr(error, "winerror", None) not in _HELD:
                raise
            sleep(wait)
    return act()


def staged_name(path: Path) -> Path:
    """Return where ``write_durably`` writes what is to become *path*; a failure may leave it there."""
    return path.with_name(f".{path.name}.new")


def make_directory(path: Path, *, mode: int = 0o755) -> None:
    """Create *path* and its parents, each name durable; those that are there stay as they are."""
    missing = [path, *path.parents]
    for directory in reversed([one for one in missing if not one.exists()]):
        directory.mkdir(mode=mode, exist_ok=True)
        fsync_directory(directory.parent)


def rename_new(source: Path, target: Path) -> None:
    """Rename *source* to a name that is free; ``FileExistsError`` where it is not, an empty directory included.

    The look and the rename are two calls: whoever uses it holds the updater's lock.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "the name is taken", str(target))
    source.rename(target)


def exchange(one: Path, other: Path) -> bool:
    """Swap what two names of one file system stand for, in one step; False where this system cannot."""
    libc = _libc()
    if libc is None or not hasattr(libc, "renameat2"):
        return False
    names = (_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other))
    if libc.renameat2(*names, _RENAME_EXCHANGE) == 0:
        return True
    number = _last_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def sync_filesystem(directory: Path) -> None:
    """Make everything that was written to *directory*'s file system durable: syncfs(2), or else sync(2).

    Since Linux 5.8 a write that failed in the background is reported here, as an ``OSError``.
    """
    libc = _libc()
    if libc is None or not hasattr(libc, "syncfs"):
        os.sync()
        return
    with opened_directory(directory) as descriptor:
        if libc.syncfs(descriptor) != 0:
            number = _last_errno()
            raise OSError(number, os.strerror(number), str(directory))


def sync_tree(root: Path, *, each_up_to: int = 16) -> None:
    """Make every byte and every name below *root* durable, but not the name of *root* itself.

    Up to *each_up_to* files are synced one by one (about 1 ms each on a quiet disk); more of them share one sync of the
    file system, which costs more on a busy host than a few files do, and far less than thousands.
    """
    if _LINUX and _holds_more_than(each_up_to, root):
        sync_filesystem(root)
        return
    for place, names in [(Path(place), names) for place, _, names in os.walk(root, topdown=False)]:
        for path in (place / name for name in names):
            if not path.is_symlink():
                _fsync_path(path)
        fsync_directory(place)


def _holds_more_than(count: int, root: Path) -> bool:
    """Count files only until it is known: a tree may hold many thousands."""
    for _, _, names in os.walk(root):
        count -= len(names)
        if count < 0:
            return True
    return False


def _fsync_path(path: Path) -> None:
    # Windows flushes only through a handle that may write.
    descriptor = os.open(path, (os.O_RDWR if _WINDOWS else os.O_RDONLY) | getattr(os, "O_CLOEXEC", 0))
    try:
        fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def _libc() -> "ctypes.CDLL | None":
    """The C library of a Linux host, for the two calls that Python does not have."""
    if not _LINUX:
        return None
    import ctypes  # noqa: PLC0415 - only where a tree is staged

    return ctypes.CDLL(None, use_errno=True)


def _last_errno() -> int:
    """The error number that the last call into the C library left."""
    import ctypes  # noqa: PLC0415 - it is loaded by then

    return ctypes.get_errno()
