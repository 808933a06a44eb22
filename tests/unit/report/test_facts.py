"""What is told beside an outcome: where the host came from, and its place in the rollout."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.letters import AT, HOST, outcome
from support.world import record_of

from pawld.lifecycle.database import open_database
from pawld.lifecycle.explain import remembered_form
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.rollout import cohort
from pawld.reasons import Reason
from pawld.report.facts import facts_of

RECORD = record_of("1.9.0", 9, expires=AT + timedelta(days=1))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    database = open_database(tmp_path / "pawld.db", AT)
    yield Journal(database, "acme")
    database.close()


def facts(journal: Journal, reason: Reason, installed: str | None) -> dict[str, Any]:
    return facts_of(outcome(1, reason), journal, installed, "stable", HOST)


def test_an_update_came_from_what_was_there_before(journal: Journal) -> None:
    journal.note(previous="1.0.0-rc-1-0123456789ab", platform="linux-x86_64", record=remembered_form(RECORD, AT))
    assert facts(journal, Reason.UPDATED, "1.9.0") == {
        "channel": "stable",
        "platform": "linux-x86_64",
        "from_version": "1.0.0-rc-1",
        "installed": "1.9.0",
        "cohort": round(cohort(HOST, RECORD), 4),
    }


def test_what_did_not_come_about_leaves_the_host_where_it_was(journal: Journal) -> None:
    journal.note(previous="0.9.0-0123456789ab")
    assert facts(journal, Reason.HEALTH_FAILED, "1.0.0")["from_version"] == "1.0.0"


def test_a_host_of_which_nothing_is_known_tells_nothing(journal: Journal) -> None:
    told = facts(journal, Reason.UPDATED, None)
    assert [name for name, value in told.items() if value is not None] == ["channel"]


@pytest.mark.parametrize("kept", [{}, {"custom": {}, "length": 1, "sha256": "0"}])
def test_a_remembered_record_of_another_form_is_no_fault(journal: Journal, kept: dict[str, Any]) -> None:
    journal.note(record=kept)
    assert facts(journal, Reason.UPDATED, "1.9.0")["cohort"] is None
