"""A whole update, from the signed manifest to the sweep, cut or failing at each call that changes the disk."""

import errno
import gc
import os
import sqlite3
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count, product
from pathlib import Path

import pytest
from crash.cuts import PowerCut, WatchedConnection, calls_of, fault, power_cut
from crash.figures import tell
from crash.parts import Findings, Part, campaign
from crash.whole import ACTS, Act, House, house_in, prepared, wrong_after, wrong_now
from crash.world import NEW, OLD, VARIANTS, running_version

from pawld.errors import PawldError
from pawld.lifecycle import database

ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EXDEV", "EACCES", "EMFILE")


@contextmanager
def _watched_house(part: Part, *, service: bool = False) -> Iterator[House]:
    """A host whose commits are watched; the part's process ends, and with it what this changed."""
    database.sqlite3.connect = partial(sqlite3.connect, factory=WatchedConnection)
    with house_in(part.place, service=service) as house:
        yield house


def _cut_everywhere(name: str, part: Part, variant: str = "good") -> Findings:
    """Cut later and later, until the command comes to its end."""
    act, found, said = ACTS[name], Findings(), b""
    with _watched_house(part) as house:
        renew = prepared(house, act, part.place)
        VARIANTS[variant]()
        for at in part.mine(count(1)):
            renew()
            with _dead_process(house), suppress(PowerCut), power_cut(at):
                said = act.do(house).encode()
            found.count(
                "whole" if said else "points", wrong_now(house, act, said) or wrong_after(house, act), f"at {at}"
            )
            if said:
                return found
    return found


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_whole_command_cut_at_any_call_leaves_a_whole_agent_and_is_finished_by_the_next(
    name: str, memory: Path
) -> None:
    found = campaign(lambda part: _cut_everywhere(name, part), memory)

    tell(f"in-process cuts, whole {name}: {found.figures['points']} points, {len(found.bad)} bad")
    assert found.figures["points"] > 10
    assert found.bad == []


def _cut_twice(part: Part) -> Findings:
    act, found = ACTS["update"], Findings()
    with _watched_house(part) as house:
        renew = prepared(house, act, part.place)
        whole = len(calls_of(lambda: act.do(house)))
        for first, second in part.mine(product(range(1, whole + 1, 9), range(1, 40, 4))):
            renew()
            with _dead_process(house), suppress(PowerCut), power_cut(first):
                act.do(house)
            with _dead_process(house), suppress(PowerCut), power_cut(second):
                house.recover()
            found.count("points", wrong_now(house, act) or wrong_after(house, act), f"at {first}, then at {second}")
    return found


def test_a_recovery_that_is_cut_itself_is_finished_by_the_next(memory: Path) -> None:
    found = campaign(_cut_twice, memory)

    tell(f"in-process cuts, whole update and its recovery: {found.figures['points']} points, {len(found.bad)} bad")
    assert found.figures["points"] > 50
    assert found.bad == []


@pytest.mark.parametrize(("variant", "seen"), [("unlink_first", "no current"), ("lazy_marks", "mark fell")])
def test_the_cuts_catch_a_whole_update_that_is_broken_on_purpose(variant: str, seen: str, memory: Path) -> None:
    found = campaign(lambda part: _cut_everywhere("update", part, variant), memory)

    tell(f"in-process cuts, {variant}: {len(found.bad)} bad: {found.bad[:2]}")
    assert any(seen in one for one in found.bad)


def _fail_everywhere(part: Part, *, name: str, step: int) -> Findings:
    """Let the disk fail at each *step*-th call, beginning at another one for each kind of fault."""
    act, found = ACTS[name], Findings()
    with _watched_house(part, service=True) as house:
        renew = prepared(house, act, part.place)
        points = len(calls_of(lambda: act.do(house)))
        kinds = [(kind, lasting) for kind in ERRORS for lasting in (False, True)]
        faults = [(*kind, at) for kind in kinds for at in range(1 + ERRORS.index(kind[0]) % step, points + 1, step)]
        for kind, lasting, at in part.mine(faults):
            renew()
            wrong = _failed(house, act, at, kind, lasting=lasting) or wrong_after(house, act)
            found.count(kind, wrong, f"{kind} {'lasting' if lasting else 'once'} at {at} of {points}")
    return found


def _failed(house: House, act: Act, at: int, kind: str, *, lasting: bool) -> str:
    """Let the disk fail; a fault that comes out as it is was not foreseen."""
    try:
        with _dead_process(house), suppress(PawldError), fault(at, getattr(errno, kind), lasting=lasting):
            act.do(house)
    except OSError as error:
        places = [f"{Path(one.filename).name}:{one.name}" for one in traceback.extract_tb(error.__traceback__)]
        return f"unforeseen: {error} in {[one for one in places if 'cuts' not in one][-4:]}"
    found = running_version(house.root)
    if found not in {OLD, NEW}:
        return found
    # Whoever may not even open the state may not start an agent either.
    return "" if house.serves() or kind == "EACCES" else "no agent runs"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "step"), [("update", 14), ("rollback", 6), ("recover", 6), ("recover on probation", 6)]
)
def test_a_fault_of_the_disk_is_an_outcome_leaves_the_agent_running_and_the_next_start_ends_it(
    name: str, step: int, memory: Path
) -> None:
    found = campaign(partial(_fail_everywhere, name=name, step=step), memory)

    tell(f"errno, whole {name}, once and lasting: {dict(found.figures)}, {len(found.bad)} bad")
    assert set(found.figures) == set(ERRORS)
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_fault_of_the_disk_at_any_call_is_an_outcome_and_leaves_the_agent_running(name: str, memory: Path) -> None:
    found = campaign(partial(_fail_everywhere, name=name, step=1), memory)

    tell(f"errno, whole {name}, once and lasting, long: {dict(found.figures)}, {len(found.bad)} bad")
    assert found.bad == []


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
