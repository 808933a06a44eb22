"""When to look again. Pure: the same host, failures and answers give the same moment."""

from datetime import datetime, timedelta

LONGEST_WAIT = timedelta(days=1)


def backoff(failures: int, first: timedelta = timedelta(minutes=1)) -> timedelta:
    """Return the wait after *failures* in a row: doubled each time, never below *first*, at most a day."""
    # The exponent is clamped, or a long outage would overflow.
    factor: int = 2 ** min(max(failures - 1, 0), 20)
    return min(first * factor, LONGEST_WAIT)


def retry_at(now: datetime, failures: int, asked: timedelta | None) -> datetime:
    """Return when to try again after a failure: our own backoff, or later where the server asked for it."""
    wait = backoff(failures)
    if asked is not None:
        wait = max(wait, min(asked, LONGEST_WAIT))
    return now + wait
