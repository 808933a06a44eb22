"""Any host's decision at any time, with the record of now or of the last look; nothing changes by asking."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.world import START, World

from pawld.errors import RejectedError, TransientError
from pawld.lifecycle import rollout
from pawld.lifecycle.cycle import Outcome
from pawld.lifecycle.explain import Asked
from pawld.model import NoBuild, RampStep, Rollout
from pawld.reasons import Reason

DAY = timedelta(days=1)
RAMP = Rollout(start=START, steps=(RampStep(0.1, DAY), RampStep(1.0, 9 * DAY)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish("1.0.0", 1)
    world.update()
    world.publish("1.1.0", 2, rollout=RAMP)
    return world


def host_at(place: float, world: World) -> str:
    """Find a host whose place is near that one."""
    record = world.records["1.1.0"]
    return next(one for one in map("h{}".format, range(9999)) if abs(rollout.cohort(one, record) - place) < 0.001)


def said(world: World, at: timedelta, host: str | None = None) -> Outcome:
    return world.explain(Asked(START + at, host))


def test_a_host_learns_its_place_the_ramp_and_its_turn(world: World) -> None:
    outcome = said(world, DAY / 2, host_at(0.55, world))
    assert outcome.reason is Reason.NOT_IN_ROLLOUT
    assert "place in the rollout of 1.1.0 is 55." in outcome.message or "is 54.9" in outcome.message
    assert "it has reached 5.00%, and its turn is at 2026-03-06" in outcome.message


def test_the_same_host_takes_it_when_its_turn_has_come(world: World) -> None:
    host = host_at(0.55, world)
    outcome = said(world, 6 * DAY, host)
    assert outcome.reason is Reason.UPDATE_AVAILABLE
    assert outcome.message.startswith(f"At 2026-03-07 12:00 UTC: Host {host}'s place in the rollout")
    assert outcome.message.endswith(f"Host {host} takes 1.1.0 then.")


def test_this_host_is_judged_with_what_is_installed_here(world: World) -> None:
    world.publish("1.1.0", 2)
    world.update()
    outcome = said(world, 6 * DAY)
    assert outcome.reason is Reason.UP_TO_DATE
    assert "This host's place" in outcome.message


def test_a_halt_is_told_beside_the_place(world: World) -> None:
    world.publish("1.1.0", 2, rollout=Rollout(start=START, steps=RAMP.steps, halted=True))
    outcome = said(world, 20 * DAY, "another")
    assert outcome.reason is Reason.CHANNEL_HALTED
    assert "it has reached 100.00%" in outcome.message


def test_without_network_the_record_of_the_last_look_answers(world: World) -> None:
    world.check()
    world.fail("describe", TransientError(Reason.UNREACHABLE, "The line is down."))
    outcome = said(world, 20 * DAY, "another")
    assert outcome.reason is Reason.UPDATE_AVAILABLE
    assert "by the record of 2026-03-01 12:02 UTC, for now: The line is down." in outcome.message


def test_without_network_and_record_the_fault_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.fail("describe", TransientError(Reason.UNREACHABLE, "The line is down."))
    assert said(world, DAY).reason is Reason.UNREACHABLE


def test_a_record_that_is_refused_now_is_not_replaced_by_an_older_one(world: World) -> None:
    world.check()
    world.fail("record", RejectedError(Reason.ROLLBACK_SUSPECTED, "The metadata was turned back."))
    assert said(world, DAY).reason is Reason.ROLLBACK_SUSPECTED


def test_asking_keeps_nothing(world: World) -> None:
    world.check()
    with world._ledger() as ledger:
        before = [ledger.journal.fact(name) for name in ("why", "wanted", "last_check", "record")]
    world.clock.wall += DAY
    said(world, 9 * DAY, "another")
    with world._ledger() as ledger:
        assert [ledger.journal.fact(name) for name in ("why", "wanted", "last_check", "record")] == before


def test_no_build_is_an_answer_too(world: World) -> None:
    world.offer = NoBuild("There is no build for this platform.")
    assert said(world, DAY).reason is Reason.NO_BUILD


def test_status_tells_the_place_also_where_nothing_is_to_be_done(world: World) -> None:
    world.publish("1.1.0", 2)
    world.update()
    world.update()
    with world._ledger() as ledger:
        told = {one["who"]: one["what"] for one in ledger.journal.fact("why")}
    assert told["rollout"].endswith("it has reached 100.00%, which includes it.")
    assert "is what is wanted" in told["decision"]
