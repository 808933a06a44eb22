"""A whole update, from the signed manifest to the sweep, cut or failing at each call that changes the disk."""

from contextlib import suppress
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from crash.campaigns import ERRORS, SCENES, cut_everywhere, dead_process, fail_everywhere, watched
from crash.cuts import PowerCut, calls_of, power_cut
from crash.figures import tell
from crash.parts import Findings, Part, campaign
from crash.whole import ACTS, house_in, prepared, wrong_after, wrong_now


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_whole_command_cut_at_any_call_leaves_a_whole_agent_and_is_finished_by_the_next(
    name: str, memory: Path
) -> None:
    found = campaign(partial(cut_everywhere, scene=SCENES[name]), memory)

    tell(f"in-process cuts, whole {name}: {found.figures['points']} points, {len(found.bad)} bad")
    assert found.figures["points"] > 10
    assert found.bad == []


def _cut_twice(part: Part) -> Findings:
    act, found = ACTS["update"], Findings()
    with watched(house_in(part.place)) as house:
        renew = prepared(house, act, part.place)
        whole = len(calls_of(lambda: act.do(house)))
        for first, second in part.mine(product(range(1, whole + 1, 9), range(1, 40, 4))):
            renew()
            with dead_process(house), suppress(PowerCut), power_cut(first):
                act.do(house)
            with dead_process(house), suppress(PowerCut), power_cut(second):
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
    found = campaign(partial(cut_everywhere, scene=SCENES["update"], variant=variant), memory)

    tell(f"in-process cuts, {variant}: {len(found.bad)} bad: {found.bad[:2]}")
    assert any(seen in one for one in found.bad)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "step"), [("update", 14), ("rollback", 6), ("recover", 6), ("recover on probation", 6)]
)
def test_a_fault_of_the_disk_is_an_outcome_leaves_the_agent_running_and_the_next_start_ends_it(
    name: str, step: int, memory: Path
) -> None:
    found = campaign(partial(fail_everywhere, scene=SCENES[name], step=step), memory)

    tell(f"errno, whole {name}, once and lasting: {dict(found.figures)}, {len(found.bad)} bad")
    assert set(found.figures) == set(ERRORS)
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_fault_of_the_disk_at_any_call_is_an_outcome_and_leaves_the_agent_running(name: str, memory: Path) -> None:
    found = campaign(partial(fail_everywhere, scene=SCENES[name], step=1), memory)

    tell(f"errno, whole {name}, once and lasting, long: {dict(found.figures)}, {len(found.bad)} bad")
    assert found.bad == []
