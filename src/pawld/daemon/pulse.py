"""The daemon's own look at itself, twice in the time that its service manager watches over: is there a jump, a hang?"""

from datetime import datetime, timedelta

from pawld.ports import Clock
from pawld.values import dataclass

LONGEST = timedelta(seconds=150)  # between two pulses
_JUMP = timedelta(seconds=30)  # by which the two clocks may drift apart between two pulses


@dataclass(slots=True)
class Pulse:
    """Measures, against a clock that cannot jump."""

    clock: Clock
    every: timedelta
    wall: datetime
    ticks: float

    @classmethod
    def of(cls, clock: Clock, watchdog: timedelta | None) -> "Pulse":
        """Return a pulse that is quick enough for *watchdog*."""
        return cls(clock, min(LONGEST, watchdog / 2) if watchdog else LONGEST, clock.now(), clock.monotonic())

    @property
    def wait(self) -> float:
        """Seconds until the next pulse; 0 where it is late."""
        return max(0.0, self.ticks + self.every.total_seconds() - self.clock.monotonic())

    def beat(self) -> bool:
        """Begin the next interval; return whether the wall clock jumped, either way, or the host slept."""
        wall, ticks = self.clock.now(), self.clock.monotonic()
        drift = (wall - self.wall) - timedelta(seconds=ticks - self.ticks)
        self.wall, self.ticks = wall, ticks
        return abs(drift) > _JUMP
