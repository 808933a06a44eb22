"""Closed while somebody holds the package manager's lock, so that the agent is not even stopped for nothing.

The lock is asked for, never taken: a package manager that found it taken for a moment would fail. Somebody may still
come in between; the installation then says the same, later.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.held import holder_of, named

ASK_AGAIN = timedelta(minutes=2)


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
                holder = holder_of(lock)
            except OSError as error:
                return Broken(f"The lock {lock} cannot be asked for: {error.strerror or type(error).__name__}.")
            if holder is not None:
                message = f"The package manager is at work: process {named(holder)} holds {lock}."
                return Closed(Reason.PACKAGE_MANAGER_BUSY, message, now + ASK_AGAIN)
        return Open(("the package manager is idle",))

    def release(self) -> None:
        """Hold nothing."""
