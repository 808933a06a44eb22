"""The alarm clock calls once, however late, and at the moment that was set last."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue

import pytest

from pawld.daemon.timer import Timer


@pytest.fixture
def calls() -> "SimpleQueue[str]":
    return SimpleQueue()


@pytest.fixture
def timer(calls: "SimpleQueue[str]") -> Iterator[Timer]:
    timer = Timer(calls.put)
    timer.start()
    yield timer
    timer.stop()


def soon(seconds: float = 0.05) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_it_calls_at_the_moment_and_once(timer: Timer, calls: "SimpleQueue[str]") -> None:
    timer.wake("acme", soon())
    assert calls.get(timeout=60) == "acme"
    with pytest.raises(Empty):
        calls.get(timeout=0.1)


def test_a_moment_that_is_long_past_is_called_at_once(timer: Timer, calls: "SimpleQueue[str]") -> None:
    timer.wake("acme", datetime.now(UTC) - timedelta(days=900))
    assert calls.get(timeout=60) == "acme"


def test_a_later_moment_takes_the_place_of_the_first(timer: Timer, calls: "SimpleQueue[str]") -> None:
    timer.wake("acme", soon(0.1))
    timer.wake("acme", soon(3600))
    with pytest.raises(Empty):
        calls.get(timeout=0.3)


def test_who_left_the_configuration_is_called_no_more(timer: Timer, calls: "SimpleQueue[str]") -> None:
    timer.wake("acme", soon(0.1))
    timer.wake("other", soon(0.1))
    timer.keep_only({"other"})
    assert calls.get(timeout=60) == "other"
    assert set(timer.moments) == {"other"}
    timer.keep_only(set())


def test_a_job_that_is_long_overdue_shows_that_the_timer_is_stuck(timer: Timer, calls: "SimpleQueue[str]") -> None:
    timer._scheduler.pause()
    timer.wake("acme", soon(-60))
    assert timer.hangs(datetime.now(UTC) - timedelta(seconds=30))
    assert not timer.hangs(datetime.now(UTC) - timedelta(seconds=90))
    timer._scheduler.resume()
    assert calls.get(timeout=60) == "acme"
    assert not timer.hangs(datetime.now(UTC))


def test_the_idle_daemon_holds_nothing_that_only_a_cycle_needs() -> None:
    heavy = ("asyncio", "ssl", "httpcore", "pydantic", "tuf", "sqlite3", "cryptography", "rich", "zstandard")
    code = f"import pawld.daemon.start, sys; print([one for one in {heavy} if one in sys.modules])"
    unwatched = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # it loads sqlite3
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unwatched)
    assert done.stdout.strip() == "[]"
