"""Wait for what a service manager does in its own time."""

from collections.abc import Callable
from datetime import timedelta

from pawld.ports import Clock

_STEP = timedelta(milliseconds=200)


def until(holds: Callable[[], bool], clock: Clock, limit: timedelta) -> bool:
    """Ask until it *holds*; False where it did not within *limit*."""
    end = clock.monotonic() + limit.total_seconds()
    while not holds():
        if clock.monotonic() >= end:
            return False
        clock.sleep(_STEP)
    return True
