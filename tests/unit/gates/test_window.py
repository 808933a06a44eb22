from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawld.errors import OperatorError
from pawld.gates.window import Window, WindowGate, next_opening
from pawld.ports import Closed, Open
from pawld.reasons import Reason

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its summer time is half an hour
EVERY_DAY = frozenset(range(7))
NIGHT = Window(EVERY_DAY, time(2), time(5))
FRIDAY_NIGHT = Window(frozenset({4}), time(22), time(4))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-01-14 02:00:00", "2026-01-14 02:00:00"),
        ("2026-01-14 04:59:59.999999", "2026-01-14 04:59:59.999999"),
        ("2026-01-14 05:00:00", "2026-01-15 02:00:00"),
        ("2026-01-14 01:59:59", "2026-01-14 02:00:00"),
        ("2026-01-14 23:17:31", "2026-01-15 02:00:00"),
    ],
)
def test_it_is_open_from_the_first_time_up_to_the_second(now: str, opening: str) -> None:
    assert next_opening(NIGHT, UTC, utc(now)) == utc(opening)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-01-16 22:00", "2026-01-16 22:00"),
        ("2026-01-17 03:59", "2026-01-17 03:59"),
        ("2026-01-17 04:00", "2026-01-23 22:00"),
        ("2026-01-16 03:00", "2026-01-16 22:00"),
        ("2026-01-18 00:00", "2026-01-23 22:00"),
    ],
    ids=["friday evening", "saturday morning", "saturday at four", "friday morning", "sunday"],
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_opens(now: str, opening: str) -> None:
    assert next_opening(FRIDAY_NIGHT, UTC, utc(now)) == utc(opening)


def test_the_clock_of_the_place_decides() -> None:
    assert next_opening(NIGHT, BERLIN, utc("2026-01-14 00:30")) == utc("2026-01-14 01:00")
    assert next_opening(NIGHT, BERLIN, utc("2026-07-14 00:30")) == utc("2026-07-14 00:30")
    assert next_opening(NIGHT, ZoneInfo("Asia/Kathmandu"), utc("2026-01-14 12:00")) == utc("2026-01-14 20:15")


def test_a_night_whose_clocks_go_forward_opens_when_the_wall_clock_is_past_the_opening() -> None:
    late = Window(EVERY_DAY, time(2, 30), time(5))  # on 2026-03-29, 02:00 to 03:00 does not exist in Berlin
    assert next_opening(late, BERLIN, utc("2026-03-28 23:00")) == utc("2026-03-29 01:00")


def test_a_window_that_does_not_exist_that_night_opens_on_the_next() -> None:
    gone = Window(EVERY_DAY, time(2, 10), time(2, 40))
    assert next_opening(gone, BERLIN, utc("2026-03-28 23:00")) == utc("2026-03-30 00:10")
    weekly = Window(frozenset({6}), time(2, 10), time(2, 40))
    assert next_opening(weekly, BERLIN, utc("2026-03-28 23:00")) == utc("2026-04-05 00:10")


def test_a_time_that_comes_twice_is_open_twice() -> None:
    twice = Window(EVERY_DAY, time(2), time(2, 30))  # on 2026-10-25, 02:00 to 03:00 comes twice in Berlin
    assert next_opening(twice, BERLIN, utc("2026-10-24 23:00")) == utc("2026-10-25 00:00")
    assert next_opening(twice, BERLIN, utc("2026-10-25 00:30")) == utc("2026-10-25 01:00")
    assert next_opening(twice, BERLIN, utc("2026-10-25 01:30")) == utc("2026-10-26 01:00")


def test_a_change_of_half_an_hour_is_reckoned_too() -> None:
    now = utc("2026-10-03 14:00")  # its clocks go from 02:00 to 02:30 at 15:30
    assert next_opening(Window(EVERY_DAY, time(2, 15), time(4)), LORD_HOWE, now) == utc("2026-10-03 15:30")


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - made aware
times = st.times().map(lambda t: t.replace(second=0, microsecond=0))
zones = st.sampled_from([UTC, BERLIN, LORD_HOWE, ZoneInfo("America/St_Johns")])


@given(moments, times, times, st.frozensets(st.integers(0, 6), min_size=1), zones)
def test_the_opening_is_open_and_the_moment_before_it_is_not(
    now: datetime, opens: time, closes: time, days: frozenset[int], zone: ZoneInfo
) -> None:
    window = Window(days, opens, closes)
    opening = next_opening(window, zone, now)
    assert opening is not None
    assert opening >= now
    assert not window.wait(opening.astimezone(zone).replace(tzinfo=None))
    if opening > now:
        before = opening - timedelta(microseconds=1)
        assert window.wait(before.astimezone(zone).replace(tzinfo=None))


def gate(**changes: object) -> WindowGate:
    given = {"days": ["Tue", "mon"], "opens": time(2), "closes": time(5), "max_deferral": timedelta(days=14)}
    return WindowGate(**(given | changes))  # type: ignore[arg-type]  # a test's own keywords


def test_the_gate_says_when_it_opens_and_which_window_it_means() -> None:
    asked = gate(timezone="Europe/Berlin")
    answer = asked.check(utc("2026-01-14 12:00"))
    assert isinstance(answer, Closed)
    assert answer.reason is Reason.OUTSIDE_WINDOW
    assert answer.retry_at == utc("2026-01-19 01:00")
    assert "02:00 to 05:00 (mon, tue; Europe/Berlin)" in answer.message
    assert isinstance(asked.check(utc("2026-01-19 01:00")), Open)
    asked.release()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"days": ["someday"]}, "someday"),
        ({"days": []}, "never open"),
        ({"closes": time(2)}, "never open"),
        ({"timezone": "Europe/Atlantis"}, "Atlantis"),
        ({"timezone": "../../etc/passwd"}, "passwd"),
    ],
)
def test_a_window_that_cannot_be_understood_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(OperatorError, match=told) as raised:
        gate(**changes)
    assert raised.value.reason is Reason.CONFIG_INVALID


def test_a_window_that_never_comes_has_no_opening() -> None:
    stopped = Window(EVERY_DAY, time(2, 10), time(2, 10, 0, 0))
    never = Window(frozenset({6}), time(2, 10), time(2, 11))

    class Standing(ZoneInfo):
        """A clock on the wall that stands still."""

        def fromutc(self, moment: datetime) -> datetime:
            return moment.replace(year=2026, month=1, day=14, hour=12, minute=0)

    assert next_opening(never, Standing("Europe/Berlin"), utc("2026-01-14 12:00")) is None
    assert stopped.wait(datetime(2026, 1, 14, 12)) == timedelta(0)  # noqa: DTZ001 - a wall clock
