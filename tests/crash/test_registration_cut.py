"""pawld's own units, half written: the same command again writes the rest, and taking them away leaves nothing."""

import errno
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from crash.cuts import PowerCut, calls_of, fault, power_cut
from crash.figures import tell

from pawld.errors import PawldError
from pawld.service.registration import Style, SystemdRegistration
from pawld.system.process import Finished
from pawld.wiring.registration import units_directory

FAULTS: dict[str, Callable[[int], AbstractContextManager[object]]] = {
    "cut": power_cut,
    "full for a moment": lambda at: fault(at, errno.ENOSPC, lasting=False),
    "full for good": lambda at: fault(at, errno.ENOSPC, lasting=True),
}


def obedient(command: Sequence[str]) -> Finished:
    return Finished(tuple(command), 0, "", "")


def registered(place: Path) -> SystemdRegistration:
    (place / "etc").mkdir(parents=True)
    walls = ("ReadWritePaths=-/opt/acme",)
    etc, usr, program = place / "etc", place / "usr", place / "pawld"
    return SystemdRegistration(units_directory(), program, walls=walls, administrators=etc, packages=usr, run=obedient)


def written(registration: SystemdRegistration) -> dict[str, str]:
    found = [one for one in registration.administrators.rglob("*") if one.is_file()]
    return {one.name: one.read_text().replace(str(registration.program), "pawld") for one in found}


@pytest.mark.parametrize("how", FAULTS)
def test_a_registration_that_is_broken_off_is_finished_by_the_next_and_taken_away_whole(how: str, memory: Path) -> None:
    whole = registered(memory / "whole")
    points = len(calls_of(lambda: whole.install(Style.TIMER)))
    for at in range(1, points + 1):
        one, other = registered(memory / f"{at}"), registered(memory / f"{at}-away")
        for each in (one, other):
            with suppress(PowerCut, PawldError), FAULTS[how](at):
                each.install(Style.TIMER)
        one.install(Style.TIMER)
        assert written(one) == written(whole), at
        other.uninstall()
        assert list(other.administrators.iterdir()) == [], at

    tell(f"in-process, the units, {how}: {points} points, 0 bad")
    assert points > 20
