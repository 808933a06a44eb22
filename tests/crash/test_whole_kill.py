"""The real command as a process of its own, killed before each system call by which it changes something."""

import math
from pathlib import Path

import pytest
from crash.figures import tell
from crash.killer import Campaign, Target, kill_everywhere, points_of
from crash.whole import ACTS, house_in, prepared, wrong_after, wrong_now

pytestmark = pytest.mark.rig("strace")
POINTS = 30  # of each command in an ordinary run; a long campaign takes them all


def _campaign(name: str, variant: str, memory: Path, *, at_most: int | None) -> tuple[Campaign, int]:
    """Kill the command, which starts and stops a service, at every point or at so many spread over all of them."""
    act = ACTS[name]
    with house_in(memory, service=True) as house:
        renew = prepared(house, act, memory)
        command = house.command(*act.words, variant=variant)
        target = Target(command, begins=str(house.home), environment={"PYTHONHASHSEED": "0"}, follow=())
        points = len(points_of(target, memory / "log"))
        every = math.ceil(points / at_most) if at_most else 1

        def judge(output: bytes) -> str:
            return wrong_now(house, act, output) or wrong_after(house, act)

        return kill_everywhere(target, memory / "log", renew, judge, every=every), points


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_kill_of_the_real_command_leaves_a_running_agent_and_is_finished_by_the_next(name: str, memory: Path) -> None:
    campaign, points = _campaign(name, "good", memory, at_most=POINTS)

    tell(f"kills, whole {name}: {campaign.points} of {points} points, {campaign.killed} killed, bad: {campaign.bad}")
    assert campaign.points > POINTS / 2
    assert campaign.killed > campaign.points * 0.8
    assert campaign.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_kill_of_the_real_command_at_every_system_call_leaves_a_running_agent(name: str, memory: Path) -> None:
    campaign, points = _campaign(name, "good", memory, at_most=None)

    tell(f"kills, whole {name}, long: {campaign.points} of {points} points, {campaign.killed} killed: {campaign.bad}")
    # On a busy host a run may make a call fewer than the first one did; then it lives to its end, and is judged too.
    assert campaign.points == points
    assert campaign.killed > points * 0.9
    assert campaign.bad == []
