"""A release behind a barrier is reached by way of others, one in each cycle, without anybody's help."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.world import START, World

from pawld.errors import TransientError
from pawld.lifecycle.steps import MOST_STEPS
from pawld.model import NoBuild, Question, RampStep, Record, Rollout
from pawld.reasons import Reason


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish("1.0.0", 1)
    world.update()
    world.publish("2.0.0", 2)
    world.publish("3.0.0", 3, min_from_version="2.0.0")
    return world


def test_two_cycles_lead_through_the_barrier(world: World) -> None:
    first = world.update()
    assert first.reason is Reason.UPDATED
    assert world.installed == "2.0.0"
    assert world.update().reason is Reason.UPDATED
    assert world.installed == "3.0.0"
    assert world.update().reason is Reason.UP_TO_DATE


def test_check_tells_the_step_and_where_it_leads(world: World) -> None:
    outcome = world.check()
    assert outcome.reason is Reason.UPDATE_AVAILABLE
    assert outcome.message == "An update from 1.0.0 to 2.0.0 is due. It is the way to 3.0.0."


def test_barriers_before_barriers_are_walked_in_turn(world: World) -> None:
    world.publish("4.0.0", 4, min_from_version="3.0.0")
    seen = []
    for _ in range(3):
        world.update()
        seen.append(world.installed)
    assert seen == ["2.0.0", "3.0.0", "4.0.0"]


def test_the_way_begins_when_the_rollout_of_its_end_has_come_to_this_host(world: World) -> None:
    nobody = Rollout(start=START, steps=(RampStep(0.0, timedelta(days=1)), RampStep(1.0, timedelta(0))))
    world.publish("3.0.0", 3, min_from_version="2.0.0", rollout=nobody)
    assert world.update().reason is Reason.NOT_IN_ROLLOUT
    assert world.installed == "1.0.0"
    world.clock.wall += timedelta(days=2)
    world.update()
    assert world.installed == "2.0.0"


def test_a_release_that_the_end_has_withdrawn_is_not_passed_through(world: World) -> None:
    world.publish("3.0.0", 3, min_from_version="2.0.0", withdrawn=("2.0.0",))
    assert world.update().reason is Reason.BUILD_WITHDRAWN
    assert world.installed == "1.0.0"


def test_a_step_that_is_blocked_on_this_host_is_told(world: World) -> None:
    world.sicken("2.0.0")
    assert world.update().reason is Reason.ROLLED_BACK
    blocked = world.update()
    assert blocked.reason is Reason.BUILD_BLOCKED
    assert "2.0.0 is blocked" in blocked.message
    assert "It is the way to 3.0.0." in blocked.message


def test_a_step_below_the_floor_of_the_end_is_still_the_way_up(world: World) -> None:
    world.publish("3.0.0", 3, min_from_version="2.0.0", security_floor="2.5.0")
    world.update()
    assert world.installed == "2.0.0"
    world.update()
    assert world.installed == "3.0.0"


def test_a_step_that_cannot_be_had_is_told_with_the_barrier(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    del world.records["2.0.0"]
    outcome = world.update()
    assert outcome.reason is Reason.STEP_NEEDED
    assert "install 2.0.0 first. pawld cannot go there by itself: There is no such record." in outcome.message
    assert world.installed == "1.0.0"


def test_a_step_that_cannot_be_asked_for_is_told_with_the_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = world.record

    def record(question: Question) -> Record | NoBuild:
        if question.version == "2.0.0":
            assert question.pinned
            raise TransientError(Reason.PIN_UNSATISFIED, "The archive names no 2.0.0.")
        return whole(question)

    monkeypatch.setattr(world, "record", record)
    outcome = world.update()
    assert outcome.reason is Reason.STEP_NEEDED
    assert outcome.message.endswith("The archive names no 2.0.0.")


def test_a_circle_of_barriers_ends(world: World) -> None:
    world.publish("2.0.0", 2, min_from_version="3.0.0")
    world.publish("3.0.0", 3, min_from_version="2.0.0")
    outcome = world.update()
    assert outcome.reason is Reason.STEP_NEEDED
    assert f"more than {MOST_STEPS} versions" in outcome.message


def test_a_barrier_whose_name_has_no_order_is_met_by_the_same_name(world: World) -> None:
    world.publish("build-b", 2)
    world.publish("build-c", 3, min_from_version="build-b")
    world.update()
    assert world.installed == "build-b"
    world.update()
    assert world.installed == "build-c"
