"""The rate limit and the patience with a server that drips."""

from datetime import timedelta

import pytest
from support.moving import HandClock

from pawld.download.pace import Pace
from pawld.errors import TransientError
from pawld.reasons import Reason


def test_without_a_limit_nothing_waits() -> None:
    clock = HandClock()
    Pace(clock).passed(10**9)
    assert clock.slept == []


def test_with_a_limit_the_whole_takes_its_time() -> None:
    clock = HandClock()
    pace = Pace(clock, 1000)
    for _ in range(20):
        pace.passed(500)
    assert sum(clock.slept) == pytest.approx(10, abs=0.6)


def test_time_that_the_server_took_is_not_waited_again() -> None:
    clock = HandClock()
    pace = Pace(clock, 1000)
    for _ in range(10):
        clock.seconds += 0.5
        pace.passed(500)
    assert clock.slept == []


def test_a_drip_is_given_up_after_a_window() -> None:
    clock = HandClock()
    pace = Pace(clock, slowest=100, window=timedelta(seconds=10))
    for _ in range(9):
        clock.seconds += 1
        pace.passed(1)
    clock.seconds += 1
    with pytest.raises(TransientError, match="1 bytes a second") as caught:
        pace.passed(1)
    assert caught.value.reason is Reason.TRANSFER_STALLED


def test_a_slow_but_steady_server_is_borne_with() -> None:
    clock = HandClock()
    pace = Pace(clock, slowest=100, window=timedelta(seconds=10))
    for _ in range(100):
        clock.seconds += 1
        pace.passed(150)


def test_ones_own_limit_is_not_the_servers_slowness() -> None:
    clock = HandClock()
    pace = Pace(clock, 100, slowest=512, window=timedelta(seconds=10))
    for _ in range(100):
        pace.passed(1000)
    assert sum(clock.slept) == pytest.approx(1000, abs=11)
