"""What else is done on a host, and with other kinds of builds: cut, failing or unreadable at each call.

An ordinary run takes a share of the points, and the long campaign all of them.
"""

from functools import partial
from pathlib import Path

import pytest
from crash.campaigns import SCENES, cut_everywhere, fail_everywhere, fail_twice, misread_everywhere
from crash.figures import tell
from crash.others import OTHERS
from crash.parts import campaign

_ALL = {**SCENES, **OTHERS}
_LONG = [pytest.mark.long, pytest.mark.timeout(3600)]


def shares(names: list[str], ordinary: dict[str, int]) -> list[object]:
    """Each name with every point, in the long campaign, and those of the *ordinary* run with one point in so many."""
    long = [pytest.param(one, 1, marks=_LONG) for one in sorted(names)]
    return [pytest.param(one, step) for one, step in ordinary.items()] + long


@pytest.mark.parametrize(("name", "step"), shares(list(OTHERS), {"mending": 7, "taking back": 41}))
def test_another_act_that_is_cut_leaves_a_whole_agent_and_is_finished_by_the_next(
    name: str, step: int, memory: Path
) -> None:
    found = campaign(partial(cut_everywhere, scene=OTHERS[name], step=step), memory)

    tell(f"in-process cuts, {name}, 1 call in {step}: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []


@pytest.mark.parametrize(("name", "step"), shares(list(OTHERS), {"mending": 53}))
def test_a_fault_of_the_disk_in_another_act_leaves_the_agent_running(name: str, step: int, memory: Path) -> None:
    found = campaign(partial(fail_everywhere, scene=OTHERS[name], step=step), memory)

    tell(f"errno, {name}, 1 call in {step}, once and lasting: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []


@pytest.mark.parametrize(("name", "step"), shares(list(_ALL), {"recovery of a sick build": 29}))
def test_whatever_cannot_be_read_the_agent_runs_on_and_the_next_start_ends_it(
    name: str, step: int, memory: Path
) -> None:
    found = campaign(partial(misread_everywhere, scene=_ALL[name], step=step), memory)

    tell(f"unreadable, {name}, 1 look in {step}, once and lasting: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["update", "rollback", "taking back"])
def test_a_disk_that_fails_in_an_act_and_in_its_recovery_leaves_the_agent_running(name: str, memory: Path) -> None:
    found = campaign(partial(fail_twice, scene=_ALL[name], step=9), memory)

    tell(f"errno twice, {name} and its recovery, 1 call in 9 of both: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []
