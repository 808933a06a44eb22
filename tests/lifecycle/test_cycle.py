"""What a cycle does, told in the order in which it happens to a host."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.world import START, Gatekeeper, World

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.lifecycle.agent import Limits
from pawld.lifecycle.cycle import Insistence, Patience
from pawld.model import NoBuild, Offer, Pinned, RampStep, Rollout
from pawld.ports import Broken, Closed, Healthy, Open, Sick, Unclear
from pawld.reasons import Reason


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish("1.0.0", 1)
    return world


@pytest.fixture
def installed(world: World) -> World:
    assert world.update().reason is Reason.UPDATED
    world.acts.clear()
    world.events.clear()
    return world


def test_the_first_cycle_installs_and_starts_the_agent(world: World) -> None:
    outcome = world.update()

    assert outcome.reason is Reason.UPDATED
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    states = [event.state for event in world.events]
    assert states == ["downloading", "verifying", "staging", "swapping", "probation", "idle"]


def test_an_update_arms_the_dead_mans_switch_before_the_swap_and_disarms_it_at_the_commit(installed: World) -> None:
    installed.publish("1.1.0", 2)

    installed.update()

    acts = installed.acts
    assert acts.index("arm") < acts.index("stop") < acts.index("activate") < acts.index("disarm")
    assert acts.index("journal probation") < acts.index("start 1.1.0")
    assert installed.armed == []


def test_nothing_is_done_twice_for_the_same_build(installed: World) -> None:
    outcome = installed.update()

    assert outcome.reason is Reason.UP_TO_DATE
    assert "fetch" not in installed.acts


def test_a_second_check_with_the_same_answer_is_no_event(installed: World) -> None:
    installed.update()
    installed.update()

    assert [event.reason for event in installed.events] == [Reason.UP_TO_DATE]


def test_check_tells_of_an_update_and_changes_nothing(installed: World) -> None:
    installed.publish("1.1.0", 2)

    outcome = installed.check()

    assert outcome.reason is Reason.UPDATE_AVAILABLE
    assert "fetch" not in installed.acts
    assert installed.installed == "1.0.0"


def test_a_sick_build_is_taken_back_blocked_and_its_evidence_kept(installed: World, tmp_path: Path) -> None:
    record = installed.publish("1.1.0", 2)
    installed.sicken("1.1.0")

    outcome = installed.update()

    assert outcome.reason is Reason.ROLLED_BACK
    assert (installed.installed, installed.running) == ("1.0.0", "1.0.0")
    assert any((tmp_path / "evidence" / record.slot_name).glob("*-service.log"))
    assert installed.update().reason is Reason.BUILD_BLOCKED


def test_a_blocked_build_is_tested_again_after_its_time_and_for_longer_if_it_fails_again(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.sicken("1.1.0")
    installed.update()

    installed.clock.wall += timedelta(days=1, minutes=1)
    assert installed.update().reason is Reason.ROLLED_BACK
    installed.clock.wall += timedelta(days=1, minutes=5)
    assert installed.update().reason is Reason.BUILD_BLOCKED
    installed.clock.wall += timedelta(days=1)
    assert installed.update().reason is Reason.ROLLED_BACK


def test_a_newer_release_is_taken_though_the_last_one_is_blocked(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.sicken("1.1.0")
    installed.update()
    installed.publish("1.1.1", 3)

    assert installed.update().reason is Reason.UPDATED
    assert installed.installed == "1.1.1"


def test_one_bad_look_takes_nothing_back(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.doctor.findings["1.1.0"] = [Sick("starting"), Sick("starting"), Healthy()]

    assert installed.update().reason is Reason.UPDATED


def test_a_probe_that_cannot_tell_takes_nothing_back(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.doctor.findings["1.1.0"] = [Unclear("DNS does not answer")]

    assert installed.update().reason is Reason.UPDATED


def test_a_fault_in_the_last_look_is_confirmed_before_the_end(installed: World) -> None:
    installed.publish("1.1.0", 2)
    healthy = [Healthy()] * 12
    installed.doctor.findings["1.1.0"] = [*healthy, Sick("crashed at the end")]

    assert installed.update().reason is Reason.ROLLED_BACK


def test_a_build_that_does_not_start_is_taken_back(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.fail("start 1.1.0", TransientError(Reason.SERVICE_FAILED, "It exited with 1."))

    assert installed.update().reason is Reason.ROLLED_BACK
    assert installed.running == "1.0.0"


def test_a_service_that_cannot_be_stopped_blocks_nothing(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.fail("stop", TransientError(Reason.SERVICE_FAILED, "The unit did not stop."))

    assert installed.update().reason is Reason.SERVICE_FAILED
    assert installed.running == "1.0.0"
    assert installed.update().reason is Reason.UPDATED


def test_a_build_that_will_not_be_stopped_is_stopped_by_the_commands_of_the_one_before(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.sicken("1.1.0")
    refusing = [TransientError(Reason.SERVICE_FAILED, "The agent still runs.")]
    installed.clock.on_sleep = lambda: installed.fail("stop", *refusing) or refusing.clear()

    assert installed.update().reason is Reason.ROLLED_BACK

    assert (installed.installed, installed.running) == ("1.0.0", "1.0.0")
    assert installed.acts[-5:-1].count("stop") == 1


def test_without_a_health_check_there_is_nothing_to_wait_for(installed: World) -> None:
    installed.watched = False
    installed.publish("1.1.0", 2)
    before = installed.clock.monotonic()

    outcome = installed.update()

    assert outcome.reason is Reason.UPDATED
    assert "No health check is configured" in outcome.message
    assert (installed.installed, installed.running) == ("1.1.0", "1.1.0")
    assert installed.clock.monotonic() == before
    assert installed.armed == []


def test_a_service_that_an_administrator_stopped_is_left_stopped(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.running = None

    outcome = installed.update()

    assert outcome.reason is Reason.UPDATED
    assert "left so" in outcome.message
    assert (installed.installed, installed.running) == ("1.1.0", None)


def test_a_service_that_falls_again_and_again_is_started_by_the_update_that_mends_it(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.running, installed.failing = None, True

    outcome = installed.update()

    assert outcome.reason is Reason.UPDATED
    assert (installed.installed, installed.running) == ("1.1.0", "1.1.0")


def test_a_first_install_that_is_sick_has_nothing_to_go_back_to_and_says_so(world: World) -> None:
    world.sicken("1.0.0")

    outcome = world.update()

    assert outcome.reason is Reason.ROLLED_BACK
    assert "no earlier slot" in outcome.message
    assert world.installed == "1.0.0"


def test_a_closed_gate_holds_the_swap_with_its_reason_and_time(installed: World) -> None:
    installed.publish("1.1.0", 2)
    later = START + timedelta(hours=3)
    installed.gates.append(Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.", later)]))

    outcome = installed.update(Patience.RETURN)

    assert (outcome.reason, outcome.message, outcome.retry_at) == (Reason.HOST_BUSY, "A job runs here.", later)
    assert installed.running == "1.0.0"


def test_update_waits_until_the_gate_opens(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.gates.append(Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here."), Open()]))

    assert installed.update().reason is Reason.UPDATED


def test_a_staged_build_is_not_fetched_again_after_a_wait(installed: World) -> None:
    installed.publish("1.1.0", 2)
    gate = Gatekeeper([Broken("The lock server does not answer.")])
    installed.gates.append(gate)
    assert installed.update(Patience.RETURN).reason is Reason.GATE_BROKEN
    installed.acts.clear()
    gate.answers = [Open()]

    assert installed.update().reason is Reason.UPDATED
    assert "fetch" not in installed.acts


def test_a_lock_taken_on_the_way_is_given_back_when_a_later_gate_is_closed(installed: World) -> None:
    installed.publish("1.1.0", 2)
    lock = Gatekeeper([Open()])
    installed.gates += [lock, Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.")], name="busy")]

    installed.update(Patience.RETURN)

    assert lock.released == 2  # at the start, and here


def test_a_deferral_beyond_its_longest_becomes_an_alarm(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.gates.append(Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.")]))
    installed.update(Patience.RETURN)
    installed.clock.wall += timedelta(days=15)

    outcome = installed.update(Patience.RETURN)

    assert outcome.reason is Reason.DEFERRED_TOO_LONG
    assert "A job runs here." in outcome.message
    assert installed.installed == "1.0.0"


def test_below_the_security_floor_an_overdue_gate_is_passed(installed: World) -> None:
    installed.publish("1.1.0", 2, security_floor="1.1.0")
    installed.gates.append(Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.")]))
    assert installed.update(Patience.RETURN).reason is Reason.HOST_BUSY
    installed.clock.wall += timedelta(days=15)

    assert installed.update(Patience.RETURN).reason is Reason.UPDATED


def test_force_passes_windows_and_rollout_but_no_other_gate(installed: World) -> None:
    installed.publish("1.1.0", 2, rollout=Rollout(start=START, steps=(RampStep(0.0, timedelta(days=1)),)))
    installed.windows.append(Gatekeeper([Closed(Reason.OUTSIDE_WINDOW, "Not in the window.")], name="window"))
    assert installed.update(Patience.RETURN).reason is Reason.NOT_IN_ROLLOUT
    gate = Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.")])
    installed.gates.append(gate)

    assert installed.update(Patience.RETURN, Insistence.FORCE).reason is Reason.HOST_BUSY
    gate.answers = [Open()]
    assert installed.update(Patience.RETURN, Insistence.FORCE).reason is Reason.UPDATED


def test_a_pin_names_the_version_and_the_channel_is_not_followed(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.publish("1.2.0", 3)
    installed.order = Pinned("v1.1.0", "the test", facts={"deployment": "d1"})
    installed.records["v1.1.0"] = installed.records["1.1.0"]

    assert installed.update().reason is Reason.UPDATED
    assert installed.installed == "1.1.0"


def test_a_pin_that_the_record_does_not_answer_installs_nothing(installed: World) -> None:
    installed.order = Pinned("1.5.0", "the test")
    installed.records["1.5.0"] = installed.publish("1.1.0", 2)

    assert installed.update().reason is Reason.PIN_UNSATISFIED
    assert installed.installed == "1.0.0"


@pytest.mark.parametrize(
    ("offer", "word"),
    [(Offer("1.0.9"), "version"), (Offer("1.1.0", sha256="f" * 64), "sha256"), (Offer("1.1.0", length=7), "length")],
)
def test_where_source_and_record_disagree_nothing_is_installed(installed: World, offer: Offer, word: str) -> None:
    record = installed.publish("1.1.0", 2)
    installed.records["1.0.9"] = record
    installed.offer = offer

    outcome = installed.update()

    assert outcome.reason is Reason.SOURCE_DISAGREES
    assert word in outcome.message
    assert "fetch" not in installed.acts


def test_no_build_for_the_platform_is_an_outcome_of_its_own(installed: World) -> None:
    installed.offer = NoBuild("The vendor has no build for linux-x86_64.")

    assert installed.check().reason is Reason.NO_BUILD
    assert installed.update().reason is Reason.NO_BUILD


def test_a_failed_check_waits_longer_each_time_and_as_long_as_the_server_asked(installed: World) -> None:
    waits = []
    for asked in (None, None, timedelta(hours=2)):
        installed.fail("describe", TransientError(Reason.UNREACHABLE, "Nobody answers.", retry_after=asked))
        outcome = installed.update()
        assert outcome.retry_at is not None
        waits.append(outcome.retry_at - installed.clock.now())

    assert waits == [timedelta(minutes=1), timedelta(minutes=2), timedelta(hours=2)]


def test_refused_credentials_are_not_retried_on_a_timer(installed: World) -> None:
    installed.fail("describe", OperatorError(Reason.UNAUTHORIZED, "The token was refused."))

    assert installed.update().retry_at is None


def test_a_changed_build_leaves_no_bytes_behind_and_blocks_nothing(installed: World, tmp_path: Path) -> None:
    record = installed.publish("1.1.0", 2)
    installed.fail("prove", RejectedError(Reason.DIGEST_MISMATCH, "expected sha256 a, got b"))

    assert installed.update().reason is Reason.DIGEST_MISMATCH
    assert not (tmp_path / f"{record.sha256}.unverified").exists()
    assert installed.update().reason is Reason.UPDATED


def test_an_unfit_archive_blocks_its_build(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.fail("stage", RejectedError(Reason.ARCHIVE_REFUSED, "A member leads outside."))

    assert installed.update().reason is Reason.ARCHIVE_REFUSED
    assert installed.update().reason is Reason.BUILD_BLOCKED


def test_a_long_outage_uses_up_no_attempts(installed: World) -> None:
    installed.publish("1.1.0", 2)
    for _ in range(20):
        installed.fail("fetch", TransientError(Reason.TRANSFER_CUT, "The line was cut."))
        assert installed.update().reason is Reason.TRANSFER_CUT

    assert installed.update().reason is Reason.UPDATED


def test_a_build_that_is_begun_again_and_again_is_left_alone_for_a_while(tmp_path: Path) -> None:
    world = World(tmp_path, limits=Limits(attempts=2))
    world.publish("1.0.0", 1)
    for _ in range(2):
        world.fail("prove", RejectedError(Reason.DIGEST_MISMATCH, "expected sha256 a, got b"))
        world.update()

    assert world.update().reason is Reason.ATTEMPTS_EXHAUSTED
    assert world.update().reason is Reason.BUILD_BLOCKED
    world.clock.wall += timedelta(days=2)
    assert world.update().reason is Reason.UPDATED


def test_a_current_slot_that_rotted_is_replaced_by_the_same_build(installed: World) -> None:
    installed.damaged.add(installed.pointer or "")
    installed.clock.wall += timedelta(days=2)

    assert installed.update().reason is Reason.UPDATED
    assert installed.damaged == set()


def test_the_chain_of_who_said_what_is_kept_for_the_status(installed: World) -> None:
    installed.publish("1.1.0", 2)
    installed.gates.append(Gatekeeper([Closed(Reason.HOST_BUSY, "A job runs here.")]))

    installed.update(Patience.RETURN)

    with installed._ledger() as ledger:
        chain = {one["who"]: one["what"] for one in ledger.journal.fact("why")}
    assert list(chain) == ["configuration", "source", "trust", "rollout", "decision", "gate"]
    assert "1.1.0" in chain["trust"]
