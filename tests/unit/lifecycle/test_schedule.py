"""Waits grow, are bounded, and honour what a server asked for."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.world import START

from pawld.lifecycle import versions
from pawld.lifecycle.schedule import LONGEST_WAIT, backoff, retry_at


@given(st.integers(-5, 10**6))
def test_a_wait_is_never_nothing_and_never_longer_than_a_day(failures: int) -> None:
    assert timedelta(minutes=1) <= backoff(failures) <= LONGEST_WAIT


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
