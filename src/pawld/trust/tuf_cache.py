"""python-tuf's metadata cache on disk: private, used by one process at a time, and expendable.

What must survive is in the marks. A cache that cannot be used is set aside, once, for a person to look at.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from pawld.errors import TransientError
from pawld.reasons import Reason
from pawld.system import faults, files

LOCK_WAIT = timedelta(seconds=10)


@contextmanager
def locked(directory: Path, wait: timedelta = LOCK_WAIT) -> Iterator[None]:
    """Hold the cache alone, its folder made and private; the lock lies beside it, as nothing else may lie in it."""
    with faults.host_faults("Opening the metadata cache"):
        files.make_directory(directory.parent)
        lock = FileLock(_beside(directory, "lock"), timeout=wait.total_seconds())
        try:
            lock.acquire()
        except Timeout as error:
            raise TransientError(
                Reason.UPDATER_BUSY, f"Another pawld has been using the metadata cache {directory} for {wait}."
            ) from error
    try:
        with faults.host_faults("Opening the metadata cache"):
            _make_private(directory)
        yield
    finally:
        lock.release()


def trusted_root(directory: Path) -> Path:
    """Return the root that is trusted now: ``root.json``, a link, or the newest of the history where none was made."""
    link = directory / "root.json"
    if link.exists():
        return link
    history = {int(one.name.partition(".")[0]): one for one in (directory / "root_history").glob("[1-9]*.root.json")}
    return history[max(history)] if history else link


def set_aside(directory: Path) -> Path:
    """Rename the cache, in place of an older one set aside, and make a new one; return where it lies now."""
    aside = _beside(directory, "set-aside")
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside)
    else:
        aside.unlink(missing_ok=True)
    directory.rename(aside)
    _make_private(directory)
    return aside


def _make_private(directory: Path) -> None:
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        directory.rename(_beside(directory, "set-aside"))
    files.make_directory(directory, mode=0o700)
    if os.name == "posix":
        directory.chmod(0o700)


def _beside(directory: Path, suffix: str) -> Path:
    return directory.with_name(f"{directory.name}.{suffix}")
