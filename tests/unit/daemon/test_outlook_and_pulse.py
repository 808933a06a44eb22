"""Documents in, moments out; and the daemon's look at its two clocks."""

from datetime import timedelta
from typing import Any

from support.world import START, FakeClock

from pawld.daemon.outlook import Outlook, thrown
from pawld.daemon.pulse import LONGEST, Pulse
from pawld.reasons import Reason

HOUR = timedelta(hours=1)


def document(reason: Reason = Reason.UP_TO_DATE, retry: timedelta | None = None, **changes: Any) -> dict[str, Any]:
    retry_at = (START + retry).isoformat() if retry else None
    reasons = {"code": reason.code, "retry_at": retry_at}
    return {"name": "acme", "state": "idle", "last_check": START.isoformat(), "reason": reasons} | changes


def outlook() -> Outlook:
    return Outlook(HOUR, "host-1", lambda: 0.5)


def test_a_quiet_agent_is_looked_at_after_this_hosts_own_period() -> None:
    assert HOUR <= outlook().after(document(), START) - START <= HOUR * 1.1 + timedelta(seconds=12)


def test_a_failure_and_a_gate_name_their_own_times() -> None:
    failed = document(Reason.DISK_FULL, timedelta(minutes=4))
    assert timedelta(minutes=4) <= outlook().after(failed, START) - START <= timedelta(minutes=4.4)
    waiting = document(Reason.OUTSIDE_WINDOW, timedelta(minutes=4), state="waiting")
    assert outlook().after(waiting, START) - START == timedelta(minutes=4)


def test_another_pawld_at_work_is_asked_after_soon() -> None:
    assert outlook().after(document(Reason.UPDATER_BUSY), START) - START == timedelta(minutes=1)


def test_an_agent_of_which_nothing_is_known_is_looked_at_soon() -> None:
    assert outlook().after({"name": "acme"}, START) - START <= timedelta(minutes=5)


def test_a_word_of_a_newer_pawld_is_no_reason_to_stop_looking() -> None:
    strange = document() | {"reason": {"code": "of_the_future", "retry_at": None}}
    assert outlook().after(strange, START) - START >= HOUR


def test_crashes_are_followed_by_longer_and_longer_pauses_until_one_cycle_ends_well() -> None:
    rhythm = outlook()
    pauses = [rhythm.after_crash("acme", START) - START for _ in range(3)]
    assert pauses == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    rhythm.after(document(), START)
    assert rhythm.after_crash("acme", START) - START == timedelta(minutes=5)


def test_a_look_that_a_jump_moved_out_of_sight_is_brought_back() -> None:
    assert outlook().after_jump(START + timedelta(days=900), START) - START <= HOUR * 1.1 + timedelta(seconds=12)


def test_dice_are_even_enough() -> None:
    throws = [thrown() for _ in range(1000)]
    assert all(0 <= one < 1 for one in throws)
    assert 0.4 < sum(throws) / 1000 < 0.6


def test_a_pulse_is_twice_as_quick_as_the_watchdog_and_never_slower_than_its_own() -> None:
    clock = FakeClock()
    assert Pulse.of(clock, timedelta(seconds=20)).wait == 10
    assert Pulse.of(clock, None).wait == LONGEST.total_seconds()
    assert Pulse.of(clock, timedelta(hours=9)).wait == LONGEST.total_seconds()


def test_a_pulse_that_is_late_is_due_at_once() -> None:
    clock = FakeClock()
    pulse = Pulse.of(clock, None)
    clock.sleep(LONGEST * 2)
    assert pulse.wait == 0
    assert not pulse.beat()
    assert pulse.wait == LONGEST.total_seconds()


def test_a_clock_that_was_set_and_a_host_that_slept_are_noticed_once() -> None:
    clock = FakeClock()
    for jump in (timedelta(hours=8), timedelta(days=-900)):
        pulse = Pulse.of(clock, None)
        clock.wall += jump
        assert pulse.beat()
        assert not pulse.beat()
