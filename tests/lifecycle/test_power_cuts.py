"""The power is cut before every act of an update, a rollback and a recovery; the next start finishes or undoes it.

The invariant is asserted before every act, and not only at the end: ``current`` leads to a complete slot.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from support.world import PowerCut, World

from pawld.reasons import Reason

Story = Callable[[World], object]


def host_with_one_version(path: Path) -> World:
    world = World(path)
    world.publish("1.0.0", 1)
    world.update()
    world.acts.clear()
    world.invariant = lambda: _some_version_is_current(world)
    return world


def _some_version_is_current(world: World) -> None:
    assert world.installed in {"1.0.0", "1.1.0"}, world.acts


def healthy_update(world: World) -> None:
    if "1.1.0" not in world.records:
        world.publish("1.1.0", 2)
    world.update()


def sick_update(world: World) -> None:
    world.sicken("1.1.0")
    healthy_update(world)


def every_cut(story: Story, path: Path) -> int:
    world = host_with_one_version(path)
    story(world)
    return len(world.acts)


def cut_and_start_again(story: Story, start_again: Story, path: Path) -> list[World]:
    worlds = []
    for cut in range(every_cut(story, path / "whole")):
        world = host_with_one_version(path / f"cut-{cut}")
        world.cut_at = cut
        with suppress(PowerCut):
            story(world)
        world.cut_at = None
        start_again(world)
        worlds.append(world)
    return worlds


def test_an_update_survives_a_power_cut_before_any_act(tmp_path: Path) -> None:
    for world in cut_and_start_again(healthy_update, healthy_update, tmp_path):
        assert (world.installed, world.running) == ("1.1.0", "1.1.0")
        assert world.armed == []


def test_recover_alone_leaves_a_running_agent_after_any_cut(tmp_path: Path) -> None:
    for world in cut_and_start_again(healthy_update, World.recover, tmp_path):
        assert world.running == world.installed
        assert world.armed == []


def test_a_rollback_survives_a_power_cut_before_any_act(tmp_path: Path) -> None:
    for world in cut_and_start_again(sick_update, sick_update, tmp_path):
        assert (world.installed, world.running) == ("1.0.0", "1.0.0")
        assert world.update().reason is Reason.BUILD_BLOCKED


def test_a_recovery_survives_a_second_power_cut(tmp_path: Path) -> None:
    whole = every_cut(healthy_update, tmp_path / "whole")
    for first in range(whole):
        for second in range(6):
            world = host_with_one_version(tmp_path / f"{first}-{second}")
            world.cut_at = first
            with suppress(PowerCut):
                healthy_update(world)
            world.cut_at = len(world.acts) + second
            with suppress(PowerCut):
                world.recover()
            world.cut_at = None
            healthy_update(world)
            assert (world.installed, world.running) == ("1.1.0", "1.1.0"), (first, second)


def mended(world: World) -> None:
    """The newest slot rots, and a recovery goes to the other one."""
    healthy_update(world)
    world.damaged = {one.name for one in world.slots_on_disk if one.version == "1.1.0"}
    world.recover()


def test_going_to_another_slot_than_a_damaged_one_survives_a_power_cut_before_any_act(tmp_path: Path) -> None:
    for world in cut_and_start_again(mended, mended, tmp_path):
        assert (world.installed, world.running) == ("1.0.0", "1.0.0")
        assert world.armed == []


@pytest.mark.parametrize("starts", [1, 2, 3, 4])
def test_a_build_that_brings_the_host_down_at_each_start_is_taken_back(tmp_path: Path, starts: int) -> None:
    world = host_with_one_version(tmp_path)
    world.publish("1.1.0", 2)
    for _ in range(starts):
        world.clock.on_sleep = _cut_power
        with suppress(PowerCut):
            world.update()
    world.clock.on_sleep = lambda: None

    world.recover()

    survived = starts < world.limits.starts
    assert world.running == ("1.1.0" if survived else "1.0.0")


def _cut_power() -> None:
    raise PowerCut


def test_the_dead_mans_switch_is_believed_when_it_went_back_while_pawld_was_dead(tmp_path: Path) -> None:
    world = host_with_one_version(tmp_path)
    record = world.publish("1.1.0", 2)
    old = world.pointer
    world.clock.on_sleep = _cut_power
    with suppress(PowerCut):
        world.update()
    world.clock.on_sleep = lambda: None
    assert world.armed == ["point", old]
    world.pointer, world.running = old, "1.0.0"

    (said, *_) = world.recover()

    assert "dead man" in said
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    assert world.update().reason is Reason.BUILD_BLOCKED
    assert record.version == "1.1.0"
