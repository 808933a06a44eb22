import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.control import SHA, FakeControl, agent

from pawld.cli.history import history_lines
from pawld.cli.main import main
from pawld.cli.output import Manner, outcome_lines, show, worst_exit
from pawld.cli.status import status_lines
from pawld.reasons import Exit, Reason

WAITING = agent(
    Reason.OUTSIDE_WINDOW,
    "The window opens at 02:00 UTC.",
    state="waiting",
    wanted={"version": "1.9.0", "sha256": "ab" * 32, "sequence": 1042},
    last_check="2026-01-02T03:04:05+00:00",
    blocked=[
        {"version": "1.8.4", "sha256": SHA, "cause": "health_failed", "until": "2026-02-01T00:00:00+00:00"},
        {"version": "1.8.5", "sha256": SHA, "cause": "operator_block", "until": None},
    ],
    why=["The channel stable names 1.9.0.", "The gate window is closed."],
)
WAITING["reason"]["retry_at"] = "2026-01-03T04:00:00+02:00"


def test_status_tells_a_person_everything_on_one_screen() -> None:
    assert list(status_lines({"agents": [WAITING]}, chain=False)) == [
        "acme: 1.8.3 (9f86d081884c) since 2026-01-02 03:04:05 UTC, channel stable for linux-x86_64",
        "  state      waiting",
        "  reason     The window opens at 02:00 UTC. (outside_window)",
        "  next       Nothing to do: pawld asks again by itself.",
        "  next check 2026-01-03 02:00:00 UTC",
        "  wanted     1.9.0 (abababababab), sequence 1042",
        "  last check 2026-01-02 03:04:05 UTC; last good refresh never",
        "  blocked    1.8.4 (9f86d081884c) for health_failed, until 2026-02-01 00:00:00 UTC",
        "  blocked    1.8.5 (9f86d081884c) for operator_block, until it is unblocked",
    ]


def test_status_with_why_tells_the_chain_of_decisions() -> None:
    lines = list(status_lines({"agents": [WAITING]}, chain=True))
    assert lines[-2:] == ["  because    The channel stable names 1.9.0.", "  because    The gate window is closed."]


def test_status_of_an_agent_that_was_never_looked_at() -> None:
    new = agent(Reason.IDLE, installed=None, platform=None, state="rolling_back") | {"reason": None}
    assert list(status_lines({"agents": [new]}, chain=True)) == [
        "acme: nothing installed, channel stable",
        "  state      rolling back",
        "  last check never; last good refresh never",
        "  because    nothing was decided yet",
    ]


def test_a_slot_without_a_date_or_digest_is_told_without() -> None:
    odd = agent(Reason.IDLE, installed={"version": "1", "sha256": None})
    assert next(iter(status_lines({"agents": [odd]}, chain=False))).startswith("acme: 1 (unknown), channel")


def test_a_reason_without_a_next_step_is_told_without() -> None:
    short = agent(Reason.IDLE) | {"reason": {"code": "idle", "message": "Fine."}}
    assert "  reason     Fine. (idle)" in list(status_lines({"agents": [short]}, chain=False))


def test_status_without_agents_says_so() -> None:
    assert list(status_lines({"agents": []}, chain=True)) == ["No agent is configured."]


def test_status_ends_with_0_whatever_the_state(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    wired(FakeControl({"agents": [WAITING]}))
    assert main(["status"]) == 0
    assert "waiting" in capsys.readouterr().out
    assert main(["status", "--json", "--why"]) == 0
    assert json.loads(capsys.readouterr().out)["agents"][0]["name"] == "acme"


def test_history_is_a_line_an_event(wired: Any, capsys: pytest.CaptureFixture[str]) -> None:
    event = {"at": "2026-01-02T03:04:05+00:00", "agent": "acme", "state": "rolling_back", "version": "1.9.0"}
    event["reason"] = {"code": "health_failed", "message": "It did not answer."}
    wired(FakeControl({"events": [event]}))
    assert main(["history"]) == 0
    assert capsys.readouterr().out == (
        "2026-01-02 03:04:05 UTC  acme 1.9.0  rolling back: It did not answer. (health_failed)\n"
    )


def test_an_empty_history_says_so() -> None:
    assert list(history_lines({"events": []})) == ["Nothing has happened yet."]


def test_an_event_without_a_reason_keeps_its_message() -> None:
    event = {"at": None, "agent": "acme", "state": "idle", "message": "Started."}
    assert list(history_lines({"events": [event]})) == ["never  acme  idle: Started. (unknown)"]


def test_an_outcome_names_the_next_step_only_where_there_is_one() -> None:
    assert outcome_lines({"agents": [agent(Reason.UP_TO_DATE)]}) == ["acme: It is so. (up_to_date)"]
    assert outcome_lines({"agents": [WAITING]}) == [
        "acme: The window opens at 02:00 UTC. (outside_window)",
        "  next: Nothing to do: pawld asks again by itself.",
        "  again at: 2026-01-03 02:00:00 UTC",
    ]


def test_a_code_of_another_release_counts_as_unexpected() -> None:
    odd = agent(Reason.IDLE)
    odd["reason"] = {"code": "of_the_future"}
    assert worst_exit({"agents": [odd]}) is Exit.UNEXPECTED
    assert outcome_lines({"agents": [odd]}) == ["acme: nothing is known yet (of_the_future)"]


def test_nothing_done_is_done() -> None:
    assert worst_exit({"agents": []}) is Exit.DONE
    assert worst_exit({"agents": [{"name": "acme"}]}) is Exit.DONE


def test_a_reason_reads_the_same_everywhere() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert Reason.LOCK_HELD.document("Held.", at) == {
        "code": "lock_held",
        "message": "Held.",
        "next_step": Reason.LOCK_HELD.next_step,
        "retry_at": "2026-01-02T00:00:00+00:00",
    }
    assert Reason.IDLE.document("Idle.")["retry_at"] is None


def test_moments_and_paths_become_text_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    show({"at": datetime(2026, 1, 2, tzinfo=UTC), "path": Path("/opt")}, (), Manner(json=True))
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-02T00:00:00+00:00", "path": "/opt"}


def test_a_block_by_version_alone_says_that_it_holds_for_any_digest() -> None:
    block = {"version": "1.8.6", "sha256": "", "cause": "operator_block", "until": None}
    (line,) = [
        one for one in status_lines({"agents": [{"name": "acme", "blocked": [block]}]}, chain=False) if "1.8.6" in one
    ]
    assert line == "  blocked    1.8.6, whatever its digest, for operator_block, until it is unblocked"
