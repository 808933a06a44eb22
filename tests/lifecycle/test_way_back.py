"""The way back fails itself: it is tried again, not for ever, and said as it is."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.world import PowerCut, World, _Disk

from pawld.errors import TransientError
from pawld.lifecycle.agent import Limits
from pawld.lifecycle.cycle import Cycle
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.states import Idle, RollingBack, State, Swapping
from pawld.lifecycle.status import describe
from pawld.lifecycle.swap import Swap
from pawld.model import Slot
from pawld.reasons import Reason

COMES_BACK = TransientError(Reason.SERVICE_FAILED, "The agent still runs 90 s after its stop command.")
FULL = TransientError(Reason.DISK_FULL, "There is no room for a name.")
TRIES = 3


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A host on 1.0.0 whose next build, 1.1.0, is sick."""
    world = World(tmp_path, limits=Limits(attempts=TRIES))
    world.publish("1.0.0", 1)
    assert world.update().reason is Reason.UPDATED
    world.publish("1.1.0", 2)
    world.sicken("1.1.0")
    world.acts.clear()
    return world


def state_of(world: World) -> State:
    with world._ledger() as ledger:
        return ledger.state


def fails_from_probation_on(world: World, act: str, error: TransientError) -> None:
    """From the first look at the new build on, *act* fails each time."""
    world.clock.on_sleep = lambda: world.failures.update({act: [error] * 100})


def mended(world: World) -> None:
    world.clock.on_sleep = lambda: None
    world.failures.clear()


def test_an_agent_that_comes_back_for_ever_is_a_failed_service_and_not_rolled_back(world: World) -> None:
    fails_from_probation_on(world, "stop", COMES_BACK)

    outcome = world.update()

    assert outcome.reason is Reason.SERVICE_FAILED
    assert COMES_BACK.message in outcome.message
    assert f"failed (1 of {TRIES})" in outcome.message
    assert "`current` leads to 1.0.0." in outcome.message
    assert (world.installed, world.running) == ("1.0.0", "1.1.0")
    assert isinstance(state_of(world), RollingBack)


def test_the_way_back_from_it_is_tried_so_often_and_then_only_by_a_recovery(world: World) -> None:
    fails_from_probation_on(world, "stop", COMES_BACK)
    outcomes = [world.update() for _ in range(TRIES)]
    tried = world.acts.count("stop")

    outcomes += [world.update() for _ in range(10)]

    assert {one.reason for one in outcomes} == {Reason.SERVICE_FAILED}
    assert world.acts.count("stop") == tried
    assert "not tried again before the next `pawld recover`" in outcomes[-1].message
    with pytest.raises(TransientError) as recovered:
        world.recover()
    assert recovered.value.reason is Reason.SERVICE_FAILED
    assert world.acts.count("stop") == tried + 2


def test_once_it_can_be_stopped_a_recovery_ends_the_way_back_and_the_old_build_runs(world: World) -> None:
    fails_from_probation_on(world, "stop", COMES_BACK)
    for _ in range(TRIES + 1):
        world.update()
    mended(world)

    said = world.recover()

    assert "The host is back on 1.0.0." in " ".join(said)
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    assert world.update().reason is Reason.BUILD_BLOCKED
    assert world.armed == []


def test_the_build_is_blocked_once_however_often_the_way_back_from_it_was_tried(world: World) -> None:
    fails_from_probation_on(world, "stop", COMES_BACK)
    for _ in range(TRIES):
        world.update()
    mended(world)
    world.recover()

    with world._ledger() as ledger:
        (blocked,) = ledger.blocklist.all()
    assert (blocked.version, blocked.times) == ("1.1.0", 1)


def test_a_way_back_that_a_full_disk_kept_from_its_end_is_not_taken_for_an_update(world: World) -> None:
    fails_from_probation_on(world, "activate", FULL)
    assert world.update().reason is Reason.DISK_FULL
    assert world.installed == "1.1.0"
    mended(world)

    outcome = world.update()

    assert outcome.reason is Reason.BUILD_BLOCKED
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")


def test_while_nothing_can_be_moved_what_is_current_runs(world: World) -> None:
    fails_from_probation_on(world, "activate", FULL)

    world.update()

    assert world.running == world.installed == "1.1.0"
    assert world.armed != [], "the dead man's switch is another way back"


def test_a_swap_whose_next_step_cannot_be_recorded_is_carried_on_and_not_forgotten(world: World) -> None:
    world.doctor.findings.clear()
    world.fail("journal probation", FULL)

    assert world.update().reason is Reason.DISK_FULL
    assert (world.installed, world.running) == ("1.1.0", "1.1.0")
    assert not isinstance(state_of(world), Idle)
    outcome = world.update()

    assert outcome.reason is Reason.UP_TO_DATE
    assert (world.installed, world.running) == ("1.1.0", "1.1.0")


def test_what_keeps_the_way_back_from_its_end_is_what_the_status_says(world: World) -> None:
    fails_from_probation_on(world, "stop", COMES_BACK)
    world.update()

    with world._ledger() as ledger:
        document = describe("acme", "stable", None, (), ledger.journal, ledger.blocklist)

    assert document["state"] == "rolling_back"
    assert document["reason"]["code"] == "service_failed"
    assert COMES_BACK.message in document["reason"]["message"]
    assert document["blocked"][0]["version"] == "1.1.0"


def test_a_damaged_slot_that_cannot_be_replaced_now_goes_on_running(world: World) -> None:
    mended(world)
    world.doctor.findings.clear()
    assert world.update().reason is Reason.UPDATED
    assert world.pointer is not None
    world.damaged.add(world.pointer)
    world.fail("activate", FULL)

    with pytest.raises(TransientError):
        world.recover()

    assert (world.installed, world.running) == ("1.1.0", "1.1.0")


def test_a_probation_that_goes_on_after_a_reboot_is_under_the_switch_again(world: World) -> None:
    world.doctor.findings.clear()
    world.clock.on_sleep = lambda: (_ for _ in ()).throw(PowerCut("on probation"))
    with pytest.raises(PowerCut):
        world.update()
    world.armed, world.running = [], None  # what a reboot leaves of it
    mended(world)
    world.acts.clear()

    world.recover()

    assert world.acts.index("arm") < world.acts.index("start 1.1.0") < world.acts.index("disarm")
    assert (world.installed, world.running, world.armed) == ("1.1.0", "1.1.0", [])


class PackageDisk(_Disk):
    """A disk whose package manager may still be at work."""

    def at_work(self) -> str | None:
        return "process 7 (dpkg) holds the lock."


def test_an_interrupted_swap_is_not_settled_while_the_package_manager_that_it_started_is_at_work(world: World) -> None:
    mended(world)
    world.doctor.findings.clear()
    world.fail("activate", PowerCut())  # type: ignore[arg-type]  # it is raised as any failure is
    with pytest.raises(PowerCut):
        world.update()

    with world._ledger() as ledger:
        agent = replace(world.agent, installer=PackageDisk(world))
        with pytest.raises(TransientError) as busy, Swap(agent, ledger).never_left_stopped():
            Recovery(agent, ledger).run()

    assert busy.value.reason is Reason.PACKAGE_MANAGER_BUSY
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    assert isinstance(state_of(world), Swapping)
    world.recover()
    assert (world.installed, world.running) == ("1.1.0", "1.1.0")


def test_a_new_slot_that_cannot_be_read_any_more_on_probation_blocks_no_build(world: World) -> None:
    world.doctor.findings.clear()
    world.clock.on_sleep = lambda: (_ for _ in ()).throw(PowerCut("on probation"))
    with pytest.raises(PowerCut):
        world.update()
    mended(world)
    world.slots_on_disk = [one for one in world.slots_on_disk if one.version == "1.0.0"]

    world.recover()

    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    with world._ledger() as ledger:
        assert list(ledger.blocklist.all()) == []
    assert world.update().reason is Reason.UPDATED


def test_one_look_that_the_host_cut_off_is_no_damage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mended(world)
    world.update()
    looks = iter([False])
    monkeypatch.setattr(_Disk, "intact", lambda _self, _slot: next(looks, True))

    assert world.recover() == []

    assert world.running == "1.0.0"


def test_a_previous_slot_that_cannot_be_read_now_is_asked_for_again_before_it_is_given_up(world: World) -> None:
    old = next(one for one in world.slots_on_disk)

    def lost() -> None:
        world.slots_on_disk = [one for one in world.slots_on_disk if one != old]

    world.clock.on_sleep = lost
    outcomes = [world.update().reason for _ in range(TRIES)]

    assert outcomes == [Reason.SLOT_DAMAGED] * (TRIES - 1) + [Reason.UP_TO_DATE]
    assert (world.installed, world.running) == ("1.1.0", "1.1.0"), "a sick agent is better than none"


class HalfInstalled(_Disk):
    """A package that its manager cannot put in place now, nor say what is."""

    def current(self) -> Slot | None:
        return None if self.world.failures else super().current()


def test_a_package_that_is_half_installed_runs_as_what_was_there_before(world: World) -> None:
    fails_from_probation_on(world, "activate", FULL)
    agent = replace(world.agent, installer=HalfInstalled(world))

    with world._ledger() as ledger:
        outcome = Cycle(agent, world.supply, ledger, world).update()

    assert outcome.reason is Reason.DISK_FULL
    assert world.running == "1.0.0"
