"""The status document tells each state, and turns into an alarm when nothing good came for too long."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.world import START

from pawld.lifecycle import status
from pawld.lifecycle.blocklist import Blocklist
from pawld.lifecycle.database import Database, open_database
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import Build, Downloading, Idle, Probation, RollingBack, State, Swapping, Waiting
from pawld.model import Blocked, Slot
from pawld.ports import Event
from pawld.reasons import Reason

BUILD = Build("1.1.0", "a" * 64, 2)
SLOT = Slot(Path("1.0.0-000000000001"), "1.0.0", "b" * 64, 1, None, START)
FIELDS = ["name", "platform", "channel", "installed", "wanted", "state", "reason", "last_check", "last_good_refresh"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "pawld.db", START)
    yield database
    database.close()


def described(database: Database) -> dict[str, object]:
    journal, blocklist = Journal(database, "acme"), Blocklist(database, "acme")
    return status.describe("acme", "stable", SLOT, [SLOT], journal, blocklist)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (Downloading(BUILD), "in_progress"),
        (Waiting(BUILD, "slot", START, Reason.HOST_BUSY, "A job runs.", START), "host_busy"),
        (Swapping(BUILD, "slot", None, start=True), "in_progress"),
        (Probation(BUILD, "slot", None, start=True, since=START, starts_left=3), "on_probation"),
        (RollingBack(BUILD, "slot", None, start=True, reason=Reason.HEALTH_FAILED, message="Sick."), "health_failed"),
        (Idle(Reason.UPDATED, "Updated.", START), "updated"),
    ],
)
def test_every_state_has_a_reason(database: Database, state: State, code: str) -> None:
    Journal(database, "acme").remain(state)

    document = described(database)

    assert document["state"] == state.state
    assert document["reason"]["code"] == code
    assert list(document)[:9] == FIELDS


def test_the_document_tells_what_is_installed_and_what_is_blocked(database: Database) -> None:
    Blocklist(database, "acme").block(Blocked("1.1.0", "a" * 64, "health_failed", START, "A newer release lifts it."))

    document = described(database)

    assert document["installed"] == {"version": "1.0.0", "sha256": "b" * 64, "since": START.isoformat()}
    assert document["blocked"] == [
        {"version": "1.1.0", "sha256": "a" * 64, "cause": "health_failed", "until": START.isoformat()}
    ]
    assert document["slots"] == ["1.0.0-000000000001"]


def test_an_agent_that_was_never_looked_at_has_the_same_fields(database: Database) -> None:
    unknown = status.describe_unknown("acme", "stable", None, [])

    assert list(unknown) == list(described(database))
    assert unknown["installed"] is None


def test_a_quiet_agent_without_a_good_refresh_becomes_an_alarm(database: Database) -> None:
    journal = Journal(database, "acme")
    journal.note(last_good_refresh=START)
    journal.remain(Idle(Reason.UNREACHABLE, "Nobody answers."))
    document = described(database)

    later = START + timedelta(days=5)
    assert status.with_alarm(document, timedelta(days=7), later)["reason"]["code"] == "unreachable"
    alarm = status.with_alarm(document, timedelta(days=3), later)["reason"]
    assert alarm["code"] == "metadata_stale"
    assert "5.0 days" in alarm["message"]
    assert "Nobody answers." in alarm["message"]


def test_an_event_tells_its_reason_and_next_step() -> None:
    event = Event(START, "acme", "idle", Reason.UNREACHABLE, "Nobody answers.")

    assert status.event_document(event)["reason"] == {
        "code": "unreachable",
        "message": "Nobody answers.",
        "next_step": Reason.UNREACHABLE.next_step,
        "retry_at": None,
    }
