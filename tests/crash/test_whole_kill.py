"""The real command as a process of its own, killed before each system call by which it changes something."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from crash.figures import tell
from crash.killer import Fork, Program, Target, kill_at, points_of
from crash.parts import Findings, Part, campaign
from crash.whole import ACTS, House, house_in, prepared, wrong_after, wrong_now

from pawld.cli.main import main

pytestmark = pytest.mark.rig("strace")


def _forked(house: House, words: tuple[str, ...]) -> Target:
    return Fork(partial(main, ["--config", str(house.config), "--json", *words]), begins=str(house.home))


def _started(house: House, words: tuple[str, ...]) -> Target:
    command = house.command(*words)
    return Program(command, begins=str(house.home), environment={"PYTHONHASHSEED": "0"}, follow=())


def _killed(name: str, how: Callable[[House, tuple[str, ...]], Target], every: int, part: Part) -> Findings:
    """Kill the command, which starts and stops a service, at this part's share of each *every*-th point."""
    act = ACTS[name]
    with house_in(part.place, service=True) as house:
        renew = prepared(house, act, part.place)
        target = how(house, act.words)
        renew()
        points = points_of(target, part.place / "log")[::every]

        def judge(output: bytes) -> str:
            return wrong_now(house, act, output) or wrong_after(house, act)

        return kill_at(target, part.mine(points), renew, judge)


def _judged(name: str, how: Callable[[House, tuple[str, ...]], Target], every: int, memory: Path) -> None:
    found = campaign(partial(_killed, name, how, every), memory)

    tell(f"kills, whole {name}, {how.__name__}, 1 point in {every}: {dict(found.figures)}, bad: {found.bad}")
    # On a busy host a run may make a call fewer than the first one did; then it lives to its end, and is judged too.
    assert found.figures["killed"] > found.figures["points"] * 0.9 > 50
    assert found.bad == []


@pytest.mark.parametrize(
    ("name", "every"), [("update", 4), ("rollback", 2), ("recover", 1), ("recover on probation", 1)]
)
def test_a_kill_of_a_whole_command_leaves_a_running_agent_and_is_finished_by_the_next(
    name: str, every: int, memory: Path
) -> None:
    _judged(name, _forked, every, memory)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("how", [_forked, _started])
@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_kill_of_a_whole_command_at_every_system_call_leaves_a_running_agent(
    name: str, how: Callable[[House, tuple[str, ...]], Target], memory: Path
) -> None:
    _judged(name, how, 1, memory)
