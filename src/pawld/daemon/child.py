"""One piece of work in a process of its own, with a limit to its time and its memory.

The limit of memory is on what the process holds, and is looked at, not set: a limit that the kernel enforces would
reach the agents and commands that a cycle starts as well.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from pawld.system.ending import Leash
from pawld.system.memory import resident
from pawld.values import dataclass

MEMORY = 1 << 30  # bytes; a whole update holds 30 to 60 MB, large TUF metadata and patches included below 300
GRACE = timedelta(minutes=5)  # to finish the step under way once the end was asked for

_LOOK_EVERY = timedelta(seconds=2)
_PRIVATE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")  # the manager's talk with the daemon alone


@dataclass(frozen=True, slots=True)
class Ending:
    """How the work ended.

    Attributes:
        code: the exit code; negative is a signal.
        document: what it printed with ``--json``; None where it printed none.
        fault: the limit that it broke, as a phrase; empty where it broke none.
    """

    code: int
    document: dict[str, Any] | None
    fault: str = ""


class Child:
    """Runs *command*, and calls *ended* from another thread when it is over. ``OSError`` where it cannot be started."""

    def __init__(
        self,
        command: Sequence[str],
        ended: Callable[[Ending], None],
        *,
        limit: timedelta,
        memory: int = MEMORY,
        environ: Mapping[str, str] = os.environ,
        leash: Leash | None = None,
    ) -> None:
        self._ended = ended
        self._limit = limit
        self._memory = memory
        self._fault = ""
        self._leash = leash or Leash()
        given = {name: value for name, value in environ.items() if name not in _PRIVATE}
        self._process = self._leash.start(command, given)
        self._watcher = threading.Thread(target=self._watch, name="child", daemon=True)
        self._watcher.start()

    def wait(self) -> None:
        """Stay until it is over, and *ended* was called."""
        self._watcher.join()

    def stop(self) -> None:
        """Ask it to finish or record the step under way, and end."""
        self._leash.ask(self._process)

    def kill(self) -> None:
        """End it at once; whatever it was at is settled at the next start."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def _watch(self) -> None:
        started, over = time.monotonic(), False
        while True:
            try:
                output, _ = self._process.communicate(timeout=_LOOK_EVERY.total_seconds())
            except subprocess.TimeoutExpired as late:
                if self._leash.let_go:
                    self._ended(Ending(0, None, "it goes on, apart from this service"))
                    return
                if self._process.poll() is None:
                    self._look(timedelta(seconds=time.monotonic() - started))
                    continue
                if not over:  # what it printed last may not have been read yet
                    over = True
                    continue
                # Whoever it started holds its output open: a cycle apart from our service does, until that has stopped.
                output = late.output or b""
                self._let_go_of_output()
            break
        self._leash.drop()
        self._ended(Ending(self._process.returncode, _document(output), self._fault))

    def _let_go_of_output(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _look(self, age: timedelta) -> None:
        held = resident(self._process.pid)
        if held is not None and held > self._memory:
            self._fault = f"it held {held >> 20} MiB of memory"
            self.kill()
        elif age > self._limit + GRACE:
            self.kill()
        elif age > self._limit and not self._fault:
            self._fault = f"it took longer than {self._limit.total_seconds():g} s"
            self.stop()


def told(ending: Ending) -> str:
    """Return a phrase for a log: how it ended."""
    if ending.fault:
        return ending.fault
    if ending.code < 0:
        return f"it was ended by {signal.Signals(-ending.code).name}"
    return f"it ended with {ending.code}"


def _document(output: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(output)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
