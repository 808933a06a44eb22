"""The disk's side of a download: is there room, and what its failures are called."""

import errno
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.reasons import Reason

RESERVE = 64 * 1024 * 1024  # bytes that are left to everybody else
_MiB = 1024 * 1024


def free_bytes(path: Path) -> int:
    """Return what an unprivileged program may still write on the filesystem of *path*."""
    return shutil.disk_usage(path).free


def preflight(path: Path, needed: int, *, reserve: int = RESERVE, free: Callable[[Path], int] = free_bytes) -> None:
    """Check that *needed* bytes and *reserve* beside them are free where *path* is; ``TransientError`` (disk_full)."""
    preflight_all({path: needed}, reserve=reserve, free=free)


def preflight_all(
    needs: Mapping[Path, int], *, reserve: int = RESERVE, free: Callable[[Path], int] = free_bytes
) -> None:
    """Check that each filesystem has room for what *needs* puts on it, in bytes, and *reserve* beside it.

    Paths need not exist yet; those on one filesystem are added up. ``TransientError`` (disk_full) names the first path
    of a filesystem that is too small.
    """
    devices: dict[int, list[Path]] = defaultdict(list)
    for path in needs:
        devices[_existing(path).stat().st_dev].append(path)
    for paths in devices.values():
        needed = sum(needs[path] for path in paths)
        there = free(_existing(paths[0]))
        if there < needed + reserve:
            raise TransientError(
                Reason.DISK_FULL,
                f"{paths[0]} needs {_size(needed)} and {_size(reserve)} in reserve; {_size(there)} are free there.",
            )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Translate what the disk refuses while *path* is written; what was written before stays."""
    try:
        yield
    except OSError as error:
        raise _translated(error, path) from error


def _translated(error: OSError, path: Path) -> PawldError:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return TransientError(Reason.DISK_FULL, f"{path} cannot be written: {_room(path)}.")
        case errno.EROFS:
            return TransientError(Reason.READ_ONLY, f"{path} cannot be written: its filesystem is read-only.")
        case errno.EACCES | errno.EPERM:
            return OperatorError(Reason.PERMISSION_DENIED, f"{path} cannot be written: {error.strerror}.")
        case errno.ELOOP:
            return OperatorError(Reason.PERMISSION_DENIED, f"{path} is a symbolic link; it is not followed.")
        case _:
            return TransientError(Reason.IO_FAILED, f"{path} cannot be written: {error.strerror or error}.")


def _room(path: Path) -> str:
    try:
        return f"the disk or a quota is full ({_size(free_bytes(_existing(path)))} free)"
    except OSError:
        return "the disk or a quota is full"


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if os.path.lexists(one))


def _size(count: int) -> str:
    return f"{count / _MiB:.1f} MiB ({count} bytes)"
