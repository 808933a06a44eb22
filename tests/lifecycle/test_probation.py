"""Probation is fooled neither by clocks nor by sleep, and loops of failures end."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.world import World

from pawld.errors import TransientError
from pawld.lifecycle.agent import Limits
from pawld.model import Slot
from pawld.ports import Finding, Healthy, Sick, Unclear
from pawld.reasons import Cause, Reason

YEAR = timedelta(days=365)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish("1.0.0", 1)
    world.update()
    world.doctor.looks = 0
    world.publish("1.1.0", 2)
    return world


def jump_once(world: World, *, wall: timedelta = timedelta(0), ticks: float = 0.0) -> None:
    """At the first nap, let the clocks jump."""

    def jump() -> None:
        world.clock.on_sleep = lambda: None
        world.clock.wall += wall
        world.clock.ticks += ticks

    world.clock.on_sleep = jump


@pytest.mark.parametrize("by", [-YEAR, YEAR], ids=["back", "forward"])
def test_a_clock_set_a_year_back_or_forward_during_probation_changes_nothing_of_it(by: timedelta, world: World) -> None:
    jump_once(world, wall=by)

    assert world.update().reason is Reason.UPDATED

    assert world.doctor.looks >= world.limits.probation / world.doctor.every
    assert world.installed == "1.1.0"


def test_a_sick_build_is_found_though_the_clock_was_set_a_year_back_during_probation(world: World) -> None:
    world.doctor.findings["1.1.0"] = [Healthy(), Healthy(), Sick("it fell over")]
    jump_once(world, wall=-YEAR)

    assert world.update().reason is Reason.ROLLED_BACK

    assert (world.installed, world.running) == ("1.0.0", "1.0.0")


@pytest.mark.parametrize("ticks", [0.0, 8 * 3600.0], ids=["the clock stands still", "the clock runs on"])
def test_a_host_asleep_during_probation_is_watched_for_the_rest_of_it_when_it_wakes(
    ticks: float, tmp_path: Path
) -> None:
    world = World(tmp_path, limits=Limits(probation=timedelta(minutes=10)))
    world.publish("1.0.0", 1)
    world.update()
    world.publish("1.1.0", 2)
    world.doctor.findings["1.1.0"] = [*[Healthy()] * 5, Sick("it does not like to be woken")]
    jump_once(world, wall=timedelta(hours=8), ticks=ticks)

    assert world.update().reason is Reason.ROLLED_BACK, "sleep is no proof of health"


def test_on_a_host_so_slow_that_one_look_takes_all_of_probation_a_second_look_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, limits=Limits(probation=timedelta(seconds=5)))
    world.publish("1.0.0", 1)
    world.update()
    world.publish("1.1.0", 2)
    world.doctor.findings["1.1.0"] = [Healthy(), Sick("it fell over")]
    look = world.doctor.check

    def slow_look(slot: Slot) -> Finding:
        world.clock.ticks += 6.0
        return look(slot)

    monkeypatch.setattr(world.doctor, "check", slow_look)

    assert world.update().reason is Reason.ROLLED_BACK, "the one look came before it fell over"


def test_a_429_or_a_dns_failure_for_the_whole_of_probation_rolls_nothing_back(world: World) -> None:
    world.doctor.findings["1.1.0"] = [Unclear("429 Too Many Requests"), Unclear("the name was not resolved")]

    assert world.update().reason is Reason.UPDATED
    assert world.installed == "1.1.0"


@pytest.mark.parametrize("reason", [Reason.SERVER_ERROR, Reason.DISK_FULL, Reason.NO_ADDRESS, Reason.UNAUTHORIZED])
def test_no_fault_of_network_host_operator_or_publisher_blocks_a_build(reason: Reason, world: World) -> None:
    assert reason.cause is not Cause.BUILD
    world.fail("stage", TransientError(reason, "It was not the build."))
    world.update()

    world.clock.wall += timedelta(days=2)

    assert world.update().reason is Reason.UPDATED


def test_a_build_is_begun_so_often_and_no_oftener_and_each_wait_is_longer(world: World) -> None:
    waits = []
    for _ in range(4):
        world.fail("fetch", TransientError(Reason.SERVER_ERROR, "500."))
        outcome = world.update()
        assert outcome.retry_at is not None
        waits.append(outcome.retry_at - world.clock.now())

    assert waits == sorted(waits)
    assert waits[0] > timedelta(0)
    assert waits[-1] > waits[0]


def test_a_version_that_was_once_bad_is_tested_again_and_stays_when_the_host_has_changed(world: World) -> None:
    world.sicken("1.1.0")
    assert world.update().reason is Reason.ROLLED_BACK
    assert world.update().reason is Reason.BUILD_BLOCKED

    world.doctor.findings.clear()
    world.clock.wall += world.limits.block_for + timedelta(seconds=1)

    assert world.update().reason is Reason.UPDATED
    assert world.installed == "1.1.0"
