import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from pawld.service.deadman import Sleeper


class Jumping:
    """A clock that is wherever sleep moves it, and does something on the way."""

    def __init__(self) -> None:
        self.at = 0.0
        self.during = lambda: None

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.at += duration.total_seconds()
        self.during()


def test_the_sleeper_fires_at_the_deadline_and_once(tmp_path: Path) -> None:
    clock, fired = Jumping(), list[float]()
    (tmp_path / "token").write_text("mine")
    sleeper = Sleeper(tmp_path / "token", clock)
    assert sleeper.wait("mine", timedelta(minutes=4), lambda: fired.append(clock.at))
    assert fired == [240.0]
    assert not sleeper.wait("mine", timedelta(0), lambda: fired.append(clock.at))


def test_the_sleeper_ends_where_another_was_armed(tmp_path: Path) -> None:
    clock, token = Jumping(), tmp_path / "token"
    token.write_text("mine")
    clock.during = lambda: token.write_text("another's") and None
    assert not Sleeper(token, clock).wait("mine", timedelta(minutes=4), lambda: None)
    assert clock.at == 1.0
    assert token.read_text() == "another's"


def test_a_token_that_cannot_be_read_calls_the_sleeper_off(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    assert not Sleeper(tmp_path / "token", Jumping()).wait("mine", timedelta(0), lambda: None)


ARMING = """
import fcntl, sys, time
from datetime import timedelta
from pathlib import Path
from pawld.service.deadman import Sleeper
from pawld.system.clock import SystemClock
here = Path(sys.argv[1])
lock = open(here / "lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
Sleeper(here / "token", SystemClock()).arm(timedelta(seconds=1), (here / "fired").touch)
print("armed", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no sleeper without fork")
def test_the_sleeper_fires_though_pawld_and_its_whole_group_were_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ARMING, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    ) as pawld:
        assert pawld.stdout is not None
        assert pawld.stdout.readline() == b"armed\n"
        os.killpg(pawld.pid, signal.SIGKILL)
        assert pawld.stdout.read() == b"", "the sleeper holds none of pawld's files"
    with FileLock(tmp_path / "lock", timeout=0.2):
        assert not (tmp_path / "fired").exists(), "nor its lock, while it sleeps"
    end = time.monotonic() + 8
    while not (tmp_path / "fired").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert (tmp_path / "fired").exists()
