"""Closed while the agent works, by a signal of this host: it closes the race that no vendor's interface can.

A command that ends with 0 says free. A lock or pid file says busy while it is there, unless the process that it names
is dead. A port says busy while it has open TCP sessions.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pawld.errors import OperatorError, PawldError
from pawld.gates.sessions import open_sessions
from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.liveness import lives
from pawld.system.process import run

Fill = Callable[[Sequence[str]], Sequence[str] | None]

ASK_AGAIN = timedelta(minutes=1)
_READ = 64  # bytes of a pid file that are looked at


class BusyGate:
    """The gate ``busy``, with one of *command*, *lock_file* and *port*.

    Args:
        fill: fills the words of *command* in; None where nothing is installed that they could mean, nor be busy.
    """

    def __init__(
        self,
        *,
        command: Sequence[str] | None = None,
        lock_file: Path | None = None,
        port: int | None = None,
        limit: timedelta = timedelta(seconds=30),
        fill: Fill = lambda command: command,
        max_deferral: timedelta,
        name: str = "busy",
    ) -> None:
        if sum(bool(signal) for signal in (command, lock_file, port)) != 1:
            raise OperatorError(Reason.CONFIG_INVALID, f"The gate {name} needs a command, a lock_file or a port.")
        self.name = name
        self.max_deferral = max_deferral
        self._command = tuple(command or ())
        self._lock_file = lock_file
        self._port = port
        self._limit = limit
        self._fill = fill

    def check(self, now: datetime) -> Answer:
        """Look at the signal, now."""
        try:
            busy = self._busy()
        except PawldError as error:
            return Broken(error.message)
        return Closed(Reason.HOST_BUSY, busy, now + ASK_AGAIN) if busy else Open((f"{self.name}: free",))

    def release(self) -> None:
        """Hold nothing."""

    def _busy(self) -> str | None:
        """Return the sentence why the host is busy; None where it is free."""
        if self._command:
            command = self._fill(self._command)
            return _by_command(command, self._limit) if command else None
        if self._lock_file is not None:
            return _by_file(self._lock_file)
        count = open_sessions(self._port or 0)
        return f"Port {self._port} has {count} open sessions." if count else None


def _by_command(command: Sequence[str], limit: timedelta) -> str | None:
    finished = run(command, limit=limit)
    if finished.code is None:
        raise OperatorError(Reason.GATE_BROKEN, f"The gate's command gave no answer: {finished.story}.")
    return None if finished.ok else f"The host is busy: {finished.story}."


def _by_file(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            words = file.read(_READ).split()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OperatorError(Reason.GATE_BROKEN, f"The lock file {path} cannot be read: {error.strerror}.") from error
    if not words or not words[0].isdigit():
        return f"The lock file {path} is there."
    pid = int(words[0])
    return f"The process {pid}, which {path} names, is at work." if lives(pid) else None
