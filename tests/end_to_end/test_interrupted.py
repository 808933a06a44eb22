"""What a look at a host says after a pawld died at work, and that a look leaves nothing behind."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from crash.parts import Part, apart
from crash.whole import House, died, house_in, installed

from pawld.cli.main import main
from pawld.download.mover import HttpMover
from pawld.lifecycle.swap import Swap
from pawld.wiring.control import control


def status(house: House) -> dict[str, Any]:
    return dict(control(house.config).status([])["agents"][0])


@contextmanager
def at_work(house: House) -> Iterator[None]:
    """Hold the updater's lock, as one at work does."""
    with (house.home / "state" / "pawld.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _told_of(part: Part, place: type, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of an updater that is at a step, and that died there."""
    with house_in(part.place) as house:
        installed(house)
        died(house, place, name)
        with at_work(house):
            working = status(house)
        return working, status(house)


@pytest.mark.parametrize(
    ("place", "name", "state", "reason"),
    [(HttpMover, "fetch", "downloading", "in_progress"), (Swap, "watch", "probation", "on_probation")],
)
def test_a_step_whose_process_is_gone_is_told_as_interrupted_at_once(
    place: type, name: str, state: str, reason: str, tmp_path: Path
) -> None:
    working, dead = apart(lambda part: _told_of(part, place, name), tmp_path)

    assert (working["state"], working["reason"]["code"]) == (state, reason)
    assert (dead["state"], dead["reason"]["code"]) == (state, "interrupted")
    assert f"interrupted during {state}" in dead["reason"]["message"]
    assert dead["reason"]["next_step"] == "Run `pawld recover`."


def _files(top: Path) -> dict[str, int]:
    return {str(one): one.lstat().st_mtime_ns for one in [top, *top.rglob("*")]}


def _examined(part: Part, *, used: bool) -> tuple[dict[str, int], dict[str, int]]:
    """The files of a host before and after an examination."""
    with house_in(part.place) as house:
        if used:
            installed(house)
        else:
            house.publish("1.0.0")
        before = _files(house.home)
        main(["--json", "--config", str(house.config), "doctor"])
        return before, _files(house.home)


@pytest.mark.parametrize("used", [False, True], ids=["that never ran pawld", "that did"])
def test_the_doctor_creates_and_changes_nothing_on_a_host(used: bool, tmp_path: Path) -> None:
    before, after = apart(lambda part: _examined(part, used=used), tmp_path)

    assert after == before
