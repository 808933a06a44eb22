"""Two copies of every mark: a crash or a sick disk between them leaves neither behind for good."""

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.cuts import calls_of, fault
from support.world import START

from pawld.errors import TransientError
from pawld.lifecycle.database import Database, open_database
from pawld.lifecycle.high_water import HighWater
from pawld.reasons import Reason


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "pawld.db", START)
    yield database
    database.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """A new database, as after the loss of the first one."""
    database = open_database(tmp_path / "elsewhere" / "pawld.db", START)
    yield database
    database.close()


@pytest.fixture
def marks(database: Database, tmp_path: Path) -> HighWater:
    return HighWater(database, tmp_path / "marks.json")


def test_a_copy_that_could_not_be_written_is_written_at_the_next_raise_to_the_same_value(
    marks: HighWater, empty: Database, tmp_path: Path
) -> None:
    with fault(1, errno.EIO, lasting=True), pytest.raises(TransientError) as caught:
        marks.raise_to("acme", "sequence", 7)
    assert caught.value.reason is Reason.IO_FAILED

    marks.raise_to("acme", "sequence", 7)

    assert HighWater(empty, tmp_path / "marks.json").mark("acme", "sequence") == 7


def test_reconciling_restores_what_either_copy_lost_and_removes_an_unfinished_one(
    marks: HighWater, empty: Database, tmp_path: Path
) -> None:
    marks.raise_to("acme", "sequence", 7)
    marks.raise_to("other", "sequence", 3)
    (tmp_path / "marks.json").write_text('{"acme": {"sequence": 9}}')
    (tmp_path / ".marks.json.new").write_text("half")

    assert marks.reconcile() == 2
    assert marks.reconcile() == 0

    assert not (tmp_path / ".marks.json.new").exists()
    assert (marks.mark("acme", "sequence"), marks.mark("other", "sequence")) == (9, 3)
    restored = HighWater(empty, tmp_path / "marks.json")
    assert (restored.mark("acme", "sequence"), restored.mark("other", "sequence")) == (9, 3)


def test_a_mark_that_both_copies_have_costs_no_write(marks: HighWater) -> None:
    marks.raise_to("acme", "sequence", 7)
    assert calls_of(lambda: marks.raise_to("acme", "sequence", 6)) == []
