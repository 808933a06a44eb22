"""A lock of the fleet is held from the gate to the end of probation, whatever happens in between, and never longer."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.world import Gatekeeper, PowerCut, World

from pawld.errors import TransientError
from pawld.lifecycle.cycle import Patience
from pawld.ports import Answer, Closed, Open
from pawld.reasons import Reason


@dataclass
class Lock:
    """A lock server's place, which outlives the processes that use it."""

    world: World
    name: str = "lock"
    max_deferral: timedelta = timedelta(days=14)
    held: bool = False
    kept: int = 0
    loss: str | None = None

    def check(self, now: datetime) -> Answer:
        del now
        self.held = True
        self.world.acts.append("lock")
        return Open()

    def release(self) -> None:
        self.held = False
        self.world.acts.append("unlock")

    def keep(self) -> None:
        self.kept += 1

    def lost(self) -> str | None:
        return self.loss


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish("1.0.0", 1)
    world.update()
    world.publish("1.1.0", 2)
    world.acts.clear()
    return world


@pytest.fixture
def lock(world: World) -> Lock:
    lock = Lock(world)
    world.gates.append(lock)  # type: ignore[arg-type]  # a gate as good as the fake one
    return lock


def order(world: World) -> list[str]:
    told = ("lock", "unlock", "stop", "journal probation", "journal idle")
    return [act for act in world.acts if act in told]


def test_it_is_taken_before_the_swap_and_given_back_after_the_commit(world: World, lock: Lock) -> None:
    assert world.update().reason is Reason.UPDATED
    assert order(world) == ["unlock", "lock", "stop", "journal probation", "journal idle", "unlock"]


def test_it_is_given_back_after_a_rollback(world: World, lock: Lock) -> None:
    world.sicken("1.1.0")
    assert world.update().reason is Reason.ROLLED_BACK
    assert not lock.held


def test_every_start_reports_the_steady_state_though_nothing_is_to_be_done(world: World, lock: Lock) -> None:
    world.update()
    world.acts.clear()
    lock.held = True  # of a process that died after its commit
    assert world.update().reason is Reason.UP_TO_DATE
    assert order(world)[0] == "unlock"
    assert "lock" not in world.acts


def test_a_fault_between_lock_and_swap_gives_it_back(world: World, lock: Lock) -> None:
    world.fail("journal swapping", TransientError(Reason.DISK_FULL, "The disk is full."))
    assert world.update().reason is Reason.DISK_FULL
    assert not lock.held
    assert "stop" not in world.acts


def test_a_later_gate_that_is_closed_gives_it_back(world: World, lock: Lock) -> None:
    world.gates.append(Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.")]))
    assert world.update(Patience.RETURN).reason is Reason.HOST_BUSY
    assert not lock.held


def test_a_refused_lock_is_given_back_too_since_the_answer_may_be_wrong(world: World) -> None:
    gate = Gatekeeper([Closed(Reason.LOCK_HELD, "All places are taken.")])
    world.gates.append(gate)
    assert world.update(Patience.RETURN).reason is Reason.LOCK_HELD
    assert gate.released == 2


def test_a_power_cut_at_any_step_leaves_it_held_until_the_swap_is_over(tmp_path: Path) -> None:
    def after_cut(cut: int) -> tuple[World, Lock]:
        world = World(tmp_path / str(cut))
        world.publish("1.0.0", 1)
        world.update()
        world.publish("1.1.0", 2)
        world.acts.clear()
        lock = Lock(world)
        world.gates.append(lock)  # type: ignore[arg-type]  # a gate as good as the fake one
        world.cut_at = cut
        with suppress(PowerCut):
            world.update()
        world.cut_at = None
        return world, lock

    resumed = 0
    for cut in range(40):
        world, lock = after_cut(cut)
        begun = "journal swapping" in world.acts and "journal idle" not in world.acts
        world.acts.clear()
        world.recover()
        assert not lock.held, f"after a cut at step {cut}"
        if not begun:
            continue
        resumed += 1
        assert lock.kept == 1
        assert order(world)[0] != "unlock", f"after a cut at step {cut}"
        assert order(world)[-2:] == ["journal idle", "unlock"]
    assert resumed > 3


def test_a_lock_that_was_lost_during_the_swap_is_told_and_the_swap_is_finished(world: World, lock: Lock) -> None:
    lock.loss = "The lock was lost meanwhile."
    outcome = world.update()
    assert outcome.reason is Reason.UPDATED
    assert outcome.message.endswith("The lock was lost meanwhile.")
    assert world.installed == "1.1.0"


def test_a_lost_lock_is_told_after_a_rollback_too(world: World, lock: Lock) -> None:
    world.sicken("1.1.0")
    lock.loss = "The lock was lost meanwhile."
    assert world.update().message.endswith("The lock was lost meanwhile.")
