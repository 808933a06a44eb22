"""Each rule of the decision, alone."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.world import START, record_of

from pawld.lifecycle.decide import NotThis, Situation, Update, UpToDate, decide
from pawld.model import Blocked, Pinned, RampStep, Record, Rollout, Slot
from pawld.reasons import Reason


def slot(version: str, sequence: int) -> Slot:
    return Slot(Path(version), version, f"{sequence:064x}", sequence)


def situation(record: Record, **changes: object) -> Situation:
    plain: dict[str, object] = {
        "installed": slot("1.0.0", 1),
        "now": START,
        "host_id": "host-1",
        "updater": "0.1.0",
    }
    return Situation(record=record, **{**plain, **changes})


NOBODY = Rollout(start=START, steps=(RampStep(0.0, timedelta(days=1)),))

REFUSALS = [
    pytest.param({"withdrawn": ("1.1.0",)}, {}, Reason.BUILD_WITHDRAWN, id="withdrawn by version"),
    pytest.param({"withdrawn": (f"{2:064x}",)}, {}, Reason.BUILD_WITHDRAWN, id="withdrawn by digest"),
    pytest.param({"rollout": Rollout(halted=True)}, {}, Reason.CHANNEL_HALTED, id="halted"),
    pytest.param(
        {"rollout": Rollout(halted=True)}, {"forced": True}, Reason.CHANNEL_HALTED, id="halted, though forced"
    ),
    pytest.param({"security_floor": "1.2.0"}, {}, Reason.BELOW_SECURITY_FLOOR, id="below the floor"),
    pytest.param(
        {"security_floor": "1.2.0"},
        {"pinned": Pinned("1.1.0", "it", allow_downgrade=True)},
        Reason.BELOW_SECURITY_FLOOR,
        id="below the floor, though pinned",
    ),
    pytest.param({}, {"installed": slot("2.0.0", 9)}, Reason.DOWNGRADE_REFUSED, id="older by sequence"),
    pytest.param({}, {"installed": slot("2.0.0", 0)}, Reason.DOWNGRADE_REFUSED, id="older by version alone"),
    pytest.param(
        {},
        {"installed": slot("2.0.0", 9), "pinned": Pinned("1.1.0", "the test")},
        Reason.DOWNGRADE_REFUSED,
        id="pinned",
    ),
    pytest.param({"min_updater": "0.2.0"}, {}, Reason.UPDATER_TOO_OLD, id="pawld too old"),
    pytest.param({"min_updater": "what?"}, {}, Reason.UPDATER_TOO_OLD, id="pawld needed cannot be compared"),
    pytest.param({"min_from_version": "1.0.5"}, {}, Reason.STEP_NEEDED, id="barrier"),
    pytest.param({"not_before": START + timedelta(hours=1)}, {}, Reason.NOT_BEFORE, id="too early"),
    pytest.param({"rollout": NOBODY}, {}, Reason.NOT_IN_ROLLOUT, id="not in the rollout"),
    pytest.param(
        {"rollout": Rollout(start=START, steps=(RampStep(1.0, timedelta(days=1)),), paused_at=START)},
        {},
        Reason.ROLLOUT_PAUSED,
        id="paused",
    ),
]


@pytest.mark.parametrize(("signed", "known", "reason"), REFUSALS)
def test_a_build_is_not_taken(signed: dict[str, object], known: dict[str, object], reason: Reason) -> None:
    decision = decide(situation(record_of("1.1.0", 2, **signed), **known))

    assert isinstance(decision, NotThis)
    assert decision.reason is reason
    assert decision.message.endswith(".")


ACCEPTANCES = [
    pytest.param({}, {}, id="newer"),
    pytest.param({}, {"installed": None}, id="the first one"),
    pytest.param({"allow_downgrade_from": ("2.0.0",)}, {"installed": slot("2.0.0", 9)}, id="downgrade by its record"),
    pytest.param(
        {},
        {"installed": slot("2.0.0", 9), "pinned": Pinned("1.1.0", "the test", allow_downgrade=True)},
        id="downgrade by an order",
    ),
    pytest.param({"rollout": NOBODY}, {"forced": True}, id="rollout passed by force"),
    pytest.param({"rollout": NOBODY}, {"pinned": Pinned("1.1.0", "the test")}, id="rollout passed by a pin"),
    pytest.param({"rollout": NOBODY, "security_floor": "1.1.0"}, {}, id="rollout passed below the floor"),
    pytest.param({"not_before": START + timedelta(hours=1)}, {"forced": True}, id="early by force"),
    pytest.param({"min_from_version": "1.0.0", "min_updater": "0.1.0"}, {}, id="barriers that are met"),
    pytest.param({"min_from_version": "1.0.0"}, {"installed": None}, id="no barrier for the first one"),
    pytest.param({}, {"installed": slot("not-a-version", 0)}, id="versions without an order"),
]


@pytest.mark.parametrize(("signed", "known"), ACCEPTANCES)
def test_a_build_is_taken(signed: dict[str, object], known: dict[str, object]) -> None:
    assert isinstance(decide(situation(record_of("1.1.0", 2, **signed), **known)), Update)


def test_the_same_build_is_up_to_date_whatever_else_the_record_says() -> None:
    record = record_of("1.0.0", 1, rollout=Rollout(halted=True), withdrawn=("1.0.0",))

    assert isinstance(decide(situation(record)), UpToDate)


def test_an_update_from_below_the_security_floor_is_urgent() -> None:
    decision = decide(situation(record_of("1.1.0", 2, security_floor="1.0.5")))

    assert isinstance(decision, Update)
    assert decision.urgent


def test_a_block_that_ran_out_blocks_nothing() -> None:
    blocked = Blocked("1.1.0", f"{2:064x}", "health_failed", START, "A newer release lifts it.")

    assert isinstance(decide(situation(record_of("1.1.0", 2), blocked=blocked)), Update)


def test_a_block_says_until_when_and_what_lifts_it() -> None:
    until = START + timedelta(days=1)
    blocked = Blocked("1.1.0", f"{2:064x}", "health_failed", until, "A newer release lifts it.")

    decision = decide(situation(record_of("1.1.0", 2), blocked=blocked))

    assert isinstance(decision, NotThis)
    assert decision.retry_at == until
    assert "A newer release lifts it." in decision.message
