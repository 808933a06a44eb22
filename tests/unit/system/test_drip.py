"""Whoever sends a byte now and then is told apart from whoever is slow."""

from datetime import timedelta

from pawld.system.drip import Drip

TEN = timedelta(seconds=10)


def test_a_drip_is_told_once_a_window_of_waiting_is_over() -> None:
    drip = Drip(100, TEN)
    assert [drip.came(50, 1) for _ in range(9)] == [""] * 9
    assert drip.came(50, 1) == "only 50 bytes a second came for 10 s; at least 100 are expected"


def test_what_came_quickly_is_no_excuse_for_later() -> None:
    drip = Drip(100, TEN)
    assert drip.came(10**9, 10) == ""
    assert "only 1 bytes" in drip.came(10, 10)


def test_time_that_nobody_waited_does_not_count() -> None:
    drip = Drip(100, TEN)
    assert {drip.came(1, 0) for _ in range(1000)} == {""}


def test_the_whole_ends_whatever_came() -> None:
    drip = Drip(100, TEN, TEN)
    assert drip.came(10**9, 9) == ""
    assert "longer than it may" in drip.came(10**9, 2)
