"""Closed while somebody holds the package manager's lock, so that the agent is not even stopped for nothing.

The lock is asked for, never taken: a package manager that found it taken for a moment would fail. Somebody may still
come in between; the installation then says the same, later.
"""

import struct
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason

ASK_AGAIN = timedelta(minutes=2)
_FLOCK = "hhqqi"  # struct flock with 64-bit offsets: type, whence, start, length, pid


class PackageLockGate:
    """The gate that ``install.type`` deb and rpm bring along; *locks* are the lock files, looked up when asked."""

    def __init__(
        self,
        locks: Callable[[], Sequence[Path]],
        *,
        max_deferral: timedelta = timedelta(days=14),
        name: str = "package-manager",
    ) -> None:
        self.name = name
        self.max_deferral = max_deferral
        self._locks = locks

    def check(self, now: datetime) -> Answer:
        """Ask who holds a lock; a lock file that nobody made yet is held by nobody."""
        for lock in self._locks():
            try:
                holder = _holder(lock)
            except OSError as error:
                return Broken(f"The lock {lock} cannot be asked for: {error.strerror or type(error).__name__}.")
            if holder is not None:
                message = f"The package manager is at work: process {_named(holder)} holds {lock}."
                return Closed(Reason.PACKAGE_MANAGER_BUSY, message, now + ASK_AGAIN)
        return Open(("the package manager is idle",))

    def release(self) -> None:
        """Hold nothing."""


def _holder(lock: Path) -> int | None:
    """Return the process that holds the lock, 0 where it is of another container; None where nobody does."""
    if sys.platform == "win32" or not lock.exists():
        return None
    import fcntl  # noqa: PLC0415 - not on Windows

    wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
    with lock.open("rb") as file:
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, wanted))
    return None if kind == fcntl.F_UNLCK else pid


def _named(pid: int) -> str:
    try:
        return f"{pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return str(pid)
