"""A host's place in a rollout, and how far the rollout has come."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.world import START, record_of

from pawld.lifecycle.rollout import cohort, due_at, fraction_at
from pawld.model import RampStep, Rollout

HOUR = timedelta(hours=1)
RAMP = Rollout(start=START, steps=(RampStep(0.01, HOUR), RampStep(0.10, 6 * HOUR), RampStep(1.0, 0 * HOUR)))


@pytest.mark.parametrize(
    ("after", "fraction"),
    [(-HOUR, 0), (0 * HOUR, 0), (HOUR / 2, 0.005), (HOUR, 0.01), (4 * HOUR, 0.055), (7 * HOUR, 1.0), (99 * HOUR, 1.0)],
)
def test_the_ramp_grows_evenly_between_its_steps(after: timedelta, fraction: float) -> None:
    assert fraction_at(RAMP, START + after) == pytest.approx(fraction)


def test_without_a_ramp_everybody_is_allowed_from_the_start() -> None:
    assert fraction_at(Rollout(), START) == 1.0
    assert fraction_at(Rollout(start=START), START) == 1.0


def test_a_percentage_without_a_start_stands_still() -> None:
    assert fraction_at(Rollout(steps=(RampStep(0.25, timedelta(0)),)), START) == 0.25
    assert due_at(Rollout(steps=(RampStep(0.25, timedelta(0)),)), 0.5) is None


def test_a_paused_ramp_stands_still() -> None:
    paused = Rollout(start=START, steps=RAMP.steps, paused_at=START + HOUR)

    assert fraction_at(paused, START + 99 * HOUR) == pytest.approx(0.01)
    assert due_at(paused, 0.5) is None


@given(st.floats(0, 0.999))
def test_a_host_is_allowed_at_the_moment_that_it_is_told(place: float) -> None:
    due = due_at(RAMP, place)

    assert due is not None
    assert fraction_at(RAMP, due + timedelta(seconds=1)) > place
    if due - START > timedelta(seconds=1):
        assert fraction_at(RAMP, due - timedelta(seconds=1)) <= place + 1e-9


def test_a_place_beyond_the_ramp_is_never_due() -> None:
    assert due_at(Rollout(start=START, steps=(RampStep(0.5, HOUR),)), 0.7) is None


def test_cohorts_are_spread_evenly_and_anew_with_each_release() -> None:
    one, two = record_of("1.1.0", 2), record_of("1.2.0", 3)
    places = [(cohort(f"host-{number}", one), cohort(f"host-{number}", two)) for number in range(2000)]

    first = sum(a < 0.1 for a, _ in places)
    both = sum(a < 0.1 and b < 0.1 for a, b in places)
    assert 150 < first < 250
    assert both < 45


def test_a_host_keeps_its_place_for_a_release() -> None:
    assert cohort("host-1", record_of("1.1.0", 2)) == cohort("host-1", record_of("1.1.0", 2))
