"""Is what was signed still fresh, and can this host's clock tell?

The clock is held against a floor: the latest moment that is proven to have passed. What is older than one's own
build, or than the last good refresh, is a clock that somebody or a flat battery set back.
"""

from datetime import UTC, datetime, timedelta

from pawld.errors import RejectedError, TransientError
from pawld.model import Record
from pawld.ports import MarkStore
from pawld.reasons import Reason

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""This version was made after it; moved on with each release."""

FLOOR = "clock.floor"
TOLERANCE = timedelta(hours=24)


def check_clock(marks: MarkStore, agent: str, now: datetime, built: datetime = BUILT) -> None:
    """Raise ``RejectedError`` (clock_suspect) where *now* is more than a day below what is known to have passed."""
    floor = max(built, datetime.fromtimestamp(marks.mark(agent, FLOOR) or 0, UTC))
    if now < floor - TOLERANCE:
        raise RejectedError(
            Reason.CLOCK_SUSPECT,
            f"This host's clock says {now:%Y-%m-%d %H:%M} UTC, but {floor:%Y-%m-%d %H:%M} UTC has passed already, so "
            "nothing can be called fresh.",
        )


def raise_floor(marks: MarkStore, agent: str, record: Record, now: datetime) -> None:
    """Note that *now* has passed. Only a statement that expires can vouch for a clock: it bounds an error ahead."""
    if record.expires is not None:
        marks.raise_to(agent, FLOOR, int(now.timestamp()))


def check_fresh(record: Record, now: datetime) -> None:
    """Raise ``RejectedError`` (metadata_frozen) where the statement has expired."""
    if record.expires is not None and record.expires <= now:
        raise RejectedError(
            Reason.METADATA_FROZEN,
            f"The signed record of {record.product} {record.version} expired on {record.expires:%Y-%m-%d %H:%M} UTC.",
        )


def check_age(marks: MarkStore, agent: str, record: Record, now: datetime, max_age: timedelta) -> None:
    """Raise ``TransientError`` (metadata_stale) where this host has seen nothing newer than *record* for *max_age*.

    The age counts from when this host first saw the statement, for that is the only date it did not get from others.
    """
    name = f"first_seen.{record.sha256[:16]}.{record.sequence}"
    first = marks.mark(agent, name)
    if first is None:
        marks.raise_to(agent, name, int(now.timestamp()))
        return
    since = datetime.fromtimestamp(first, UTC)
    if now - since > max_age:
        raise TransientError(
            Reason.METADATA_STALE,
            f"Nothing newer than {record.product} {record.version} was signed since {since:%Y-%m-%d %H:%M} UTC, which "
            f"is longer than max_age ({max_age}).",
        )
