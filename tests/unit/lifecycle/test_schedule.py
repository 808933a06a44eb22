"""Waits grow, are bounded, and honour what a server asked for; looks are spread, and never come in a burst."""

from datetime import timedelta
from math import gcd

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.world import START

from pawld.lifecycle import versions
from pawld.lifecycle.schedule import (
    LARGEST_LATENESS,
    LONGEST_WAIT,
    Last,
    after_jump,
    backoff,
    lateness,
    next_look,
    period,
    place_of,
    retry_at,
)
from pawld.reasons import Cause, Reason

HOUR = timedelta(hours=1)
PLACES = st.floats(0, 1, exclude_max=True)
REASONS = st.sampled_from(list(Reason))
SPANS = st.timedeltas(timedelta(days=-3000), timedelta(days=3000))


@given(st.integers(-5, 10**6), st.sampled_from(list(Cause)))
def test_a_wait_is_never_nothing_and_never_longer_than_a_day(failures: int, cause: Cause) -> None:
    assert timedelta(minutes=1) <= backoff(failures, cause) <= LONGEST_WAIT


def test_a_fault_that_people_must_mend_is_asked_after_less_often_than_the_network() -> None:
    assert backoff(1, Cause.NETWORK) < backoff(1, Cause.HOST) < backoff(1, Cause.PUBLISHER)
    assert backoff(99, Cause.NONE) == HOUR
    assert backoff(99, Cause.NETWORK) < backoff(99, Cause.PUBLISHER) == LONGEST_WAIT


@given(st.integers(1, 10**7), PLACES)
def test_the_period_is_this_hosts_own_and_coprime_with_a_day(seconds: int, place: float) -> None:
    own = period(timedelta(seconds=seconds), place)
    assert gcd(round(own.total_seconds()), 86400) == 1
    assert timedelta(seconds=seconds) <= own <= timedelta(seconds=seconds * 1.1 + 12)


def test_hosts_have_places_of_their_own_that_stay() -> None:
    places = [place_of(f"host-{number}") for number in range(2000)]
    assert place_of("host-7") == places[7]
    assert all(0 <= place < 1 for place in places)
    assert 0.45 < sum(places) / len(places) < 0.55


@pytest.mark.parametrize("reason", [Reason.NOT_DEPLOYED, Reason.NOT_CONFIRMED])
def test_a_campaign_server_is_asked_as_often_as_it_says(reason: Reason) -> None:
    last = Last(START, reason, retry_at=START + timedelta(minutes=5))
    assert timedelta(minutes=5) <= look(last) <= timedelta(minutes=5.5)


def look(last: Last, *throws: float, own: timedelta = HOUR) -> timedelta:
    thrown = iter([*throws, 0.9, 0.9, 0.9])
    return next_look(START, last, own, 0.5, lambda: next(thrown)) - START


def test_the_next_look_comes_a_period_after_the_last_one() -> None:
    assert look(Last(START - HOUR / 4, Reason.UP_TO_DATE)) == HOUR * 3 / 4


def test_one_look_in_five_comes_up_to_a_fifth_later() -> None:
    assert look(Last(START), 0.19, 0.5) == HOUR * 1.1
    assert look(Last(START), 0.2, 0.5) == HOUR


def test_a_host_that_never_looked_looks_soon_but_not_with_all_others() -> None:
    assert look(Last(None)) == lateness(HOUR, 0.5)
    assert lateness(100 * HOUR, 0.999) <= LARGEST_LATENESS
    assert lateness(HOUR, 0.1) < lateness(HOUR, 0.9)


def test_looks_that_were_missed_leave_the_rhythm_as_it_was() -> None:
    assert look(Last(START - HOUR * 1.25)) == HOUR * 0.75
    assert look(Last(START - HOUR * 9.75)) == HOUR * 0.25
    assert look(Last(START - HOUR * 9)) == HOUR


def test_a_clock_that_was_set_back_is_no_reason_to_wait() -> None:
    assert look(Last(START + timedelta(days=1000))) == lateness(HOUR, 0.5)


def failed(reason: Reason, wait: timedelta) -> Last:
    return Last(START, reason, retry_at=START + wait)


@pytest.mark.parametrize("reason", [Reason.TRANSFER_CUT, Reason.NAME_NOT_RESOLVED, Reason.DISK_FULL])
def test_a_failure_is_tried_again_when_its_backoff_says_though_the_period_be_shorter_or_longer(reason: Reason) -> None:
    assert look(failed(reason, timedelta(minutes=4)), 0.9, 0.0) == timedelta(minutes=4)
    assert timedelta(hours=5) <= look(failed(reason, timedelta(hours=5)), 0.9, 0.9) <= timedelta(hours=5.5)


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.TIMED_OUT, Reason.SERVER_ERROR, Reason.RATE_LIMITED])
def test_an_origin_that_failed_is_not_asked_more_often_than_one_that_is_well(reason: Reason) -> None:
    assert look(failed(reason, timedelta(minutes=4)), 0.9, 0.0) == HOUR
    assert look(failed(reason, timedelta(hours=5)), 0.9, 0.0) == timedelta(hours=5)


def test_a_gate_brings_a_look_forward_and_a_rollout_leaves_it_to_the_period() -> None:
    assert look(Last(START, Reason.OUTSIDE_WINDOW, "waiting", START + timedelta(minutes=9))) == timedelta(minutes=9)
    assert look(Last(START, Reason.OUTSIDE_WINDOW, "waiting", START + timedelta(days=9))) == HOUR
    assert look(Last(START, Reason.NOT_IN_ROLLOUT, "idle", START + timedelta(minutes=9))) == HOUR
    assert look(Last(START, Reason.BUILD_BLOCKED, "idle", START + timedelta(days=9))) == HOUR


@given(SPANS, REASONS, st.sampled_from(["idle", "waiting"]), st.none() | SPANS, PLACES, st.lists(PLACES, min_size=3))
def test_a_look_is_never_now_never_in_the_past_and_never_out_of_sight(
    ago: timedelta, reason: Reason, state: str, retry: timedelta | None, place: float, throws: list[float]
) -> None:
    last = Last(START - ago, reason, state, None if retry is None else START + retry)
    thrown = iter(throws)
    wait = next_look(START, last, HOUR, place, lambda: next(thrown)) - START
    assert timedelta(seconds=1) <= wait <= LONGEST_WAIT * 1.1


@given(SPANS)
def test_after_sleep_or_a_set_clock_there_is_one_look_in_its_rhythm_or_the_one_that_was_due(ahead: timedelta) -> None:
    wait = after_jump(START, START + ahead, HOUR) - START
    assert timedelta(0) < wait <= LONGEST_WAIT * 1.1
    if ahead <= timedelta(0):
        assert wait <= HOUR


def test_a_look_that_is_far_off_since_the_clock_was_set_back_comes_within_a_period() -> None:
    assert after_jump(START, START + timedelta(days=900), HOUR) == START + HOUR
    assert after_jump(START, START + HOUR / 2, HOUR) == START + HOUR / 2


def test_waits_double() -> None:
    assert [backoff(failures) / timedelta(minutes=1) for failures in (1, 2, 3, 4)] == [1, 2, 4, 8]


def test_what_a_server_asked_for_is_honoured_and_capped() -> None:
    assert retry_at(START, 1, timedelta(hours=3)) == START + timedelta(hours=3)
    assert retry_at(START, 1, timedelta(seconds=1)) == START + timedelta(minutes=1)
    assert retry_at(START, 1, timedelta(days=9999)) == START + LONGEST_WAIT


@pytest.mark.parametrize(
    ("version", "than", "answer"),
    [
        ("1.0.0", "1.0.1", True),
        ("v1.0", "1.0.1", True),
        ("1.10.0", "1.9.0", False),
        ("1.0.0-rc.1", "1.0.0", True),
        ("abc123f", "1.0.0", None),
        ("1.0.0", "", None),
    ],
)
def test_versions_are_compared_where_they_have_an_order(version: str, than: str, answer: bool | None) -> None:
    assert versions.older(version, than) is answer


def test_a_leading_v_makes_no_other_version() -> None:
    assert versions.same("v1.0.0", "1.0.0")
    assert not versions.same("1.0.0", "1.0.1")
