"""Halt, pause and resume: the same release, stopped and going on where it was."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.publishing import ARM, LINUX, StillClock, founded, take_in

from pawld.errors import OperatorError
from pawld.lifecycle.rollout import fraction_at
from pawld.model import Record
from pawld.publish import hold
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher
from pawld.publish.ramp import parse_ramp
from pawld.publish.records import current
from pawld.publish.release import Conditions
from pawld.reasons import Reason

RAMP = Conditions(ramp=parse_ramp("100% 10h"))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def publisher(tmp_path: Path, clock: StillClock) -> Publisher:
    publisher = founded(tmp_path, clock=clock)
    take_in(publisher, "1.0.0", conditions=RAMP)
    clock.sleep(timedelta(hours=2))
    return publisher


def stable(publisher: Publisher) -> Record:
    publish(publisher)
    record = current(publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    return record


def test_a_halted_release_keeps_its_sequence_and_its_place_on_the_ramp(publisher: Publisher, clock: StillClock) -> None:
    hold.halt(publisher, "acme-agent", "stable")
    halted = stable(publisher)
    assert halted.rollout.halted
    assert halted.sequence == 1
    clock.sleep(timedelta(days=3))
    hold.resume(publisher, "acme-agent", "stable")
    resumed = stable(publisher)
    assert not resumed.rollout.halted
    assert fraction_at(resumed.rollout, clock.now()) == pytest.approx(0.2)
    clock.sleep(timedelta(hours=1))
    assert fraction_at(resumed.rollout, clock.now()) == pytest.approx(0.3)


def test_a_paused_rollout_stands_still(publisher: Publisher, clock: StillClock) -> None:
    hold.pause(publisher, "acme-agent", "stable")
    clock.sleep(timedelta(days=3))
    paused = stable(publisher)
    assert not paused.rollout.halted
    assert fraction_at(paused.rollout, clock.now()) == pytest.approx(0.2)


def test_halting_twice_changes_nothing(publisher: Publisher, clock: StillClock) -> None:
    assert len(hold.halt(publisher, "acme-agent", "stable")) == 1
    clock.sleep(timedelta(hours=1))
    assert hold.halt(publisher, "acme-agent", "stable") == []


def test_a_release_without_a_ramp_is_halted_too(publisher: Publisher) -> None:
    take_in(publisher, "1.1.0")
    hold.halt(publisher, "acme-agent", "stable")
    assert stable(publisher).rollout.halted
    hold.resume(publisher, "acme-agent", "stable")
    assert not stable(publisher).rollout.halted


def test_a_halt_before_the_start_leaves_the_start_alone(publisher: Publisher, clock: StillClock) -> None:
    start = clock.now() + timedelta(days=2)
    take_in(publisher, "1.1.0", conditions=Conditions(ramp=RAMP.ramp, start=start))
    hold.halt(publisher, "acme-agent", "stable")
    clock.sleep(timedelta(hours=1))
    hold.resume(publisher, "acme-agent", "stable")
    assert stable(publisher).rollout.start == start


def test_the_next_release_is_not_halted(publisher: Publisher) -> None:
    hold.halt(publisher, "acme-agent", "stable")
    take_in(publisher, "1.1.0")
    assert not stable(publisher).rollout.halted


def test_nothing_to_halt_is_said(publisher: Publisher) -> None:
    for channel, platforms in (("beta", ()), ("stable", (ARM,))):
        with pytest.raises(OperatorError) as caught:
            hold.halt(publisher, "acme-agent", channel, platforms)
        assert caught.value.reason is Reason.USAGE
