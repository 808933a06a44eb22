"""Open from one time of day to another, on some days, by the clock on the wall of a place.

A window that runs past midnight belongs to the day on which it opens. Where clocks are put forward or back, the wall
clock alone decides: a time that does not exist that night is skipped, one that comes twice is open twice.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pawld.errors import OperatorError
from pawld.ports import Answer, Closed, Open
from pawld.reasons import Reason
from pawld.values import dataclass

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_QUARTER = timedelta(minutes=15)  # no zone of today changes its clocks at another minute
_HORIZON = timedelta(days=15)  # a weekly window that a change of clocks swallowed comes again within it


@dataclass(frozen=True, slots=True)
class Window:
    """A weekly window: *days* (Monday is 0), and two times of day; *closes* before *opens* is on the next day."""

    days: frozenset[int]
    opens: time
    closes: time

    def wait(self, wall: datetime) -> timedelta:
        """Return how long a wall clock that shows *wall* (naive) runs until the window is open; zero within it."""
        waits = []
        for offset in range(-1, 8):
            day = wall.date() + timedelta(days=offset)
            if day.weekday() not in self.days:
                continue
            opens = datetime.combine(day, self.opens)
            overnight = timedelta(days=1 if self.closes <= self.opens else 0)
            if opens <= wall < datetime.combine(day, self.closes) + overnight:
                return timedelta(0)
            if opens > wall:
                waits.append(opens - wall)
        return min(waits)


def next_opening(window: Window, zone: tzinfo, now: datetime) -> datetime | None:
    """Return *now* while the window is open, else the moment when it opens; None where it never does.

    Within a quarter of an hour no clock changes, so steps of at most that length reckon exactly.
    """
    moment = now.astimezone(UTC)
    end = moment + _HORIZON
    while moment < end:
        wait = window.wait(moment.astimezone(zone).replace(tzinfo=None))
        if not wait:
            return moment
        moment = min(moment + wait, _next_quarter(moment))
    return None


def _next_quarter(moment: datetime) -> datetime:
    into = timedelta(minutes=moment.minute % 15, seconds=moment.second, microseconds=moment.microsecond)
    return moment - into + _QUARTER


class WindowGate:
    """The gate ``window``: *days* by their first three letters, *timezone* by its name in the tz database."""

    def __init__(
        self,
        *,
        days: Sequence[str],
        opens: time,
        closes: time,
        timezone: str = "UTC",
        max_deferral: timedelta,
        name: str = "window",
    ) -> None:
        self.name = name
        self.max_deferral = max_deferral
        if not days or opens == closes:
            raise OperatorError(Reason.CONFIG_INVALID, f"The gate {name} would never open.")
        self._window = Window(frozenset(_day(day) for day in days), opens, closes)
        self._zone = _zone(timezone)
        self._place = timezone

    def check(self, now: datetime) -> Answer:
        """Answer by the wall clock of the place; a closed window says when it opens."""
        opening = next_opening(self._window, self._zone, now)
        if opening is not None and opening <= now:
            return Open((f"within the window {self._told()}",))
        return Closed(Reason.OUTSIDE_WINDOW, f"It is outside of the window {self._told()}.", opening)

    def release(self) -> None:
        """Hold nothing."""

    def _told(self) -> str:
        days = ", ".join(DAYS[day] for day in sorted(self._window.days))
        return f"{self._window.opens:%H:%M} to {self._window.closes:%H:%M} ({days}; {self._place})"


def _day(word: str) -> int:
    try:
        return DAYS.index(word.lower()[:3])
    except ValueError:
        raise OperatorError(Reason.CONFIG_INVALID, f"{word!r} is no day of the week.") from None


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC  # on a minimal Linux there is no tz database to read it from
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OperatorError(Reason.CONFIG_INVALID, f"This host knows no timezone {name!r}.") from None
