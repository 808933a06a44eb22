"""What is done to a whole command inside this very process: it is cut, or fails, at each call that changes the disk."""

import errno
import gc
import os
import sqlite3
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, product
from pathlib import Path

from crash.cuts import PowerCut, WatchedConnection, calls_of, fault, power_cut
from crash.parts import Findings, Part
from crash.reads import ReadConnection, failing
from crash.whole import ACTS, Act, House, house_in, prepared, wrong_after, wrong_now
from crash.world import NEW, OLD, VARIANTS, running_version

from pawld.errors import PawldError
from pawld.lifecycle import database

ERRORS = ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EXDEV", "EACCES", "EMFILE")


_GIVEN_UP = (OLD, NEW)  # where a slot cannot be read at all, the host may end in the other one


@dataclass(frozen=True, slots=True)
class Scene:
    """An act, and what makes the host that it is done on, with a service or without."""

    act: Act
    house: Callable[..., AbstractContextManager[House]] = house_in


SCENES = {name: Scene(act) for name, act in ACTS.items()}


@contextmanager
def watched(house: AbstractContextManager[House]) -> Iterator[House]:
    """Watch the host's commits; the part's process ends, and with it what this changed."""
    database.sqlite3.connect = partial(sqlite3.connect, factory=WatchedConnection)
    with house as one:
        yield one


def cut_everywhere(part: Part, *, scene: Scene, variant: str = "good", step: int = 1) -> Findings:
    """Cut later and later, until the command comes to its end."""
    act, found, said = scene.act, Findings(), b""
    with watched(scene.house(part.place)) as house:
        renew = prepared(house, act, part.place)
        VARIANTS[variant]()
        for at in part.mine(count(1, step)):
            renew()
            with dead_process(house), suppress(PowerCut), power_cut(at):
                said = act.do(house).encode()
            found.count(
                "whole" if said else "points", wrong_now(house, act, said) or wrong_after(house, act), f"at {at}"
            )
            if said:
                return found
    return found


def fail_everywhere(part: Part, *, scene: Scene, step: int) -> Findings:
    """Let the disk fail at each *step*-th call, beginning at another one for each kind of fault."""
    act, found = scene.act, Findings()
    with watched(scene.house(part.place, service=True)) as house:
        renew = prepared(house, act, part.place)
        points = len(calls_of(lambda: act.do(house)))
        kinds = [(kind, lasting) for kind in ERRORS for lasting in (False, True)]
        faults = [(*kind, at) for kind in kinds for at in range(1 + ERRORS.index(kind[0]) % step, points + 1, step)]
        for kind, lasting, at in part.mine(faults):
            renew()
            wrong = failed(house, act, fault(at, getattr(errno, kind), lasting=lasting))
            wrong = wrong or _without_an_agent(house, act, kind) or wrong_after(house, act)
            found.count(kind, wrong, f"{kind} {'lasting' if lasting else 'once'} at {at} of {points}")
    return found


def fail_twice(part: Part, *, scene: Scene, step: int) -> Findings:
    """Let the disk fail for good in the act, and otherwise for good in the recovery after it."""
    act, found = scene.act, Findings()
    recovery = replace(act, do=House.recover)
    with watched(scene.house(part.place, service=True)) as house:
        renew = prepared(house, act, part.place)
        points = len(calls_of(lambda: act.do(house)))
        kinds = (("ENOSPC", "EIO"), ("EROFS", "ENOSPC"), ("EMFILE", "EROFS"))
        for (one, other), first, second in part.mine(product(kinds, range(2, points, step), range(2, 60, step))):
            renew()
            wrong = failed(house, act, fault(first, getattr(errno, one), lasting=True))
            wrong = wrong or failed(house, recovery, fault(second, getattr(errno, other), lasting=True))
            wrong = wrong or _without_an_agent(house, act, one) or wrong_after(house, act)
            found.count("pairs", wrong, f"{one} at {first} of {points}, then {other} at {second}")
    return found


def misread_everywhere(part: Part, *, scene: Scene, step: int) -> Findings:
    """Let each *step*-th look at the host's files fail, once, or whenever the same is looked at."""
    act, found = scene.act, Findings()
    database.sqlite3.connect = partial(sqlite3.connect, factory=ReadConnection)
    with scene.house(part.place, service=True) as house:
        renew = prepared(house, act, part.place)
        with failing(0, 0, house.home, lasting=False) as seen:
            act.do(house)
        looks = len(seen)
        for lasting, at in part.mine(product((False, True), range(1, looks + 1, step))):
            renew()
            wrong = failed(house, act, failing(at, errno.EIO, house.home, lasting=lasting))
            place = seen[at - 1].removeprefix(str(house.home))
            if not lasting or place != "/opt/current":  # by which an agent is started
                wrong = wrong or _without_an_agent(house, act, "EIO")
            wrong = wrong or wrong_after(house, act, _GIVEN_UP if lasting and "/versions/" in place else ())
            found.count("looks", wrong, f"EIO {'lasting' if lasting else 'once'} at {at} of {looks} ({place})")
    return found


def failed(house: House, act: Act, fault: AbstractContextManager[object]) -> str:
    """Do the act under *fault*; what comes out as it is was not foreseen."""
    try:
        with dead_process(house), suppress(PawldError), fault:
            act.do(house)
    except OSError as error:
        places = [f"{Path(one.filename).name}:{one.name}" for one in traceback.extract_tb(error.__traceback__)]
        return f"unforeseen: {error} in {[one for one in places if 'cuts' not in one][-4:]}"
    return ""


def _without_an_agent(house: House, act: Act, kind: str) -> str:
    found = running_version(house.root)
    if found not in act.found:
        return found
    # Whoever may not even open the state may not start an agent either.
    return "" if house.serves() or kind == "EACCES" else "no agent runs"


@contextmanager
def dead_process(house: House) -> Iterator[None]:
    """Let go, as the end of a process would, of what the cut kept from being closed: the lock above all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
    for one in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            if str(one.readlink()).startswith(str(house.home)):
                os.close(int(one.name))
