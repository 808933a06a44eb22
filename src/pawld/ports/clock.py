"""Time, as the lifecycle asks for it."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time. ``now`` may jump; ``monotonic`` may not, so durations are measured with it."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; it never falls."""

    def sleep(self, duration: timedelta) -> None:
        """Wait that long."""
