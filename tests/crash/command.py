"""``pawld`` itself, where a second of probation takes no second, and with a part of it broken on purpose if asked for.

    python command.py VARIANT COMMAND [ARGUMENT...]

Everything else is the real command: its configuration, its client, its database, its locks and its output.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from crash.world import VARIANTS

from pawld.cli.main import main
from pawld.system import clock
from pawld.system.clock import SystemClock


class ImpatientClock(SystemClock):
    """A clock on which every sleep is over at once, and its time has passed; but not for what is forked off.

    Attributes:
        behind: how far it is behind, on every host of this process.
    """

    behind = timedelta(0)

    def __init__(self) -> None:
        self._slept = 0.0
        self._process = os.getpid()

    def now(self) -> datetime:
        """Return the wall time."""
        return super().now() - self.behind

    def monotonic(self) -> float:
        """Count what was slept, beside what has passed."""
        return super().monotonic() + self._slept

    def sleep(self, duration: timedelta) -> None:
        """Let the time have passed; a dead man's switch sleeps as it should."""
        if os.getpid() != self._process:
            super().sleep(duration)
            return
        self._slept += max(0.0, duration.total_seconds())


@contextmanager
def a_minute_ago() -> Iterator[None]:
    """Do what is inside a minute ago.

    The floor under the clock is a mark of whole seconds: raising it takes nine calls, and none in the second in which
    it was raised before. A host that was prepared in this very second would make fewer calls now than it makes later.
    """
    ImpatientClock.behind = timedelta(minutes=1)
    try:
        yield
    finally:
        ImpatientClock.behind = timedelta(0)


@contextmanager
def hurried() -> Iterator[None]:
    """Give every host that is wired inside an impatient clock, by both names under which it is found."""
    from pawld.wiring import host  # noqa: PLC0415 - heavy, and not for a module that is only named

    given = clock.SystemClock
    try:
        for place in (host, clock):
            setattr(place, "SystemClock", ImpatientClock)  # noqa: B010 - a type, which no assignment may change
        yield
    finally:
        for place in (host, clock):
            setattr(place, "SystemClock", given)  # noqa: B010 - as above


if __name__ == "__main__":
    VARIANTS[sys.argv[1]]()
    with hurried():
        sys.exit(main(sys.argv[2:]))
