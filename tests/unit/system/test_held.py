"""A lock is seen to be held, and is not touched."""

import fcntl
import sys
from pathlib import Path

import pytest

from pawld.system.held import is_held

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists its locks")


def test_a_lock_is_held_as_long_as_somebody_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "pawld.lock"
    with lock.open("w") as file:
        assert not is_held(lock)
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_held(lock)
    assert not is_held(lock)


def test_a_lock_that_was_never_taken_is_not_held(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "pawld.lock")


def test_a_lock_may_be_held_where_the_system_does_not_tell(tmp_path: Path) -> None:
    lock = tmp_path / "pawld.lock"
    lock.touch()

    assert is_held(lock, locks=tmp_path / "none")
    assert is_held(tmp_path / "absent", locks=tmp_path / "none")
    (tmp_path / "file").touch()
    assert is_held(tmp_path / "file" / "below")
