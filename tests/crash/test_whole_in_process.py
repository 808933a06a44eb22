"""A whole update, from the signed manifest to the sweep, cut or failing at each call that changes the disk."""

import errno
import functools
import gc
import os
import sqlite3
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from crash.cuts import PowerCut, WatchedConnection, calls_of, fault, power_cut
from crash.figures import tell
from crash.whole import ACTS, Act, House, house_in, prepared, wrong_after, wrong_now
from crash.world import NEW, OLD, VARIANTS, running_version

from pawld.errors import PawldError
from pawld.install.pointer import LinkPointer
from pawld.lifecycle import database
from pawld.lifecycle.high_water import HighWater

ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EXDEV", "EACCES", "EMFILE")


@pytest.fixture
def house(memory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    connect = functools.partial(sqlite3.connect, factory=WatchedConnection)
    monkeypatch.setattr(database.sqlite3, "connect", connect)
    with house_in(memory) as one:
        yield one


def _cut_everywhere(house: House, act: Act, renew: Callable[[], object]) -> tuple[int, list[str]]:
    """Cut later and later until the command comes to its end: how many calls it makes differs from run to run."""
    points, bad, said = 0, list[str](), b""
    while not said:
        points += 1
        renew()
        with _dead_process(house), suppress(PowerCut), power_cut(points):
            said = act.do(house).encode()
        wrong = wrong_now(house, act, said) or wrong_after(house, act)
        bad += [f"cut at {points}: {wrong}"] if wrong else []
    return points, bad


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_whole_command_cut_at_any_call_leaves_a_whole_agent_and_is_finished_by_the_next(
    name: str, house: House, memory: Path
) -> None:
    points, bad = _cut_everywhere(house, ACTS[name], prepared(house, ACTS[name], memory))

    tell(f"in-process cuts, whole {name}: {points} points, {len(bad)} bad")
    assert points > 15
    assert bad == []


def test_a_recovery_that_is_cut_itself_is_finished_by_the_next(house: House, memory: Path) -> None:
    act, points, bad = ACTS["update"], 0, list[str]()
    renew = prepared(house, act, memory)
    whole = len(calls_of(lambda: act.do(house)))
    for first in range(1, whole + 1, 9):
        for second in range(1, 40, 4):
            renew()
            with _dead_process(house), suppress(PowerCut), power_cut(first):
                act.do(house)
            with _dead_process(house), suppress(PowerCut), power_cut(second):
                house.recover()
            points += 1
            wrong = wrong_now(house, act) or wrong_after(house, act)
            bad += [f"cut at {first}, then at {second}: {wrong}"] if wrong else []

    tell(f"in-process cuts, whole update and its recovery: {points} points, {len(bad)} bad")
    assert bad == []


@pytest.mark.parametrize(("variant", "seen"), [("unlink_first", "no current"), ("lazy_marks", "mark fell")])
def test_the_cuts_catch_a_whole_update_that_is_broken_on_purpose(
    variant: str, seen: str, house: House, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, name in ((LinkPointer, "move"), (HighWater, "raise_to")):
        monkeypatch.setattr(place, name, getattr(place, name))  # what is broken is put back afterwards
    renew = prepared(house, ACTS["update"], memory)
    VARIANTS[variant]()

    _, bad = _cut_everywhere(house, ACTS["update"], renew)

    tell(f"in-process cuts, {variant}: {len(bad)} bad: {bad[:2]}")
    assert any(seen in one for one in bad)


def _fail_everywhere(house: House, name: str, renew: Callable[[], object], *, lasting: bool, step: int) -> list[str]:
    act, bad = ACTS["update"], list[str]()
    renew()
    points = len(calls_of(lambda: act.do(house)))
    tried = range(1 + ERRORS.index(name) % step, points + 1, step)
    for at in tried:
        renew()
        wrong = _failed(house, act, at, getattr(errno, name), lasting=lasting) or wrong_after(house, act)
        bad += [f"{name} at {at} of {points}: {wrong}"] if wrong else []
    tell(f"{name} {'lasting' if lasting else 'once'}, whole update: {len(tried)} of {points} points, {len(bad)} bad")
    return bad


def _failed(house: House, act: Act, at: int, number: int, *, lasting: bool) -> str:
    """Let the disk fail; a fault that comes out as it is was not foreseen."""
    try:
        with _dead_process(house), suppress(PawldError), fault(at, number, lasting=lasting):
            act.do(house)
    except OSError as error:
        places = [f"{Path(one.filename).name}:{one.name}" for one in traceback.extract_tb(error.__traceback__)]
        return f"unforeseen: {error} in {[one for one in places if 'cuts' not in one][-4:]}"
    found = running_version(house.root)
    return "" if found in {OLD, NEW} else found


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("name", ERRORS)
def test_a_fault_of_the_disk_in_a_whole_update_is_an_outcome_and_the_next_one_ends_it(
    name: str, lasting: bool, house: House, memory: Path
) -> None:
    renew = prepared(house, ACTS["update"], memory)

    assert _fail_everywhere(house, name, renew, lasting=lasting, step=7) == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("name", ERRORS)
def test_a_fault_of_the_disk_at_any_call_of_a_whole_update_is_an_outcome(
    name: str, lasting: bool, house: House, memory: Path
) -> None:
    renew = prepared(house, ACTS["update"], memory)

    assert _fail_everywhere(house, name, renew, lasting=lasting, step=1) == []


@contextmanager
def _dead_process(house: House) -> Iterator[None]:
    """Let go, as the end of a process would, of what the cut kept from being closed: the lock above all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
    for one in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if str(one.readlink()).startswith(str(house.home)):
                os.close(int(one.name))
