"""States and history outlive their process; what cannot be read is set aside."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.world import START

from pawld.errors import OperatorError, TransientError
from pawld.lifecycle.database import Database, open_database, open_for_reading
from pawld.lifecycle.high_water import HighWater
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.state_document import decoded, encoded
from pawld.lifecycle.states import (
    MOVES,
    Build,
    Downloading,
    Idle,
    Probation,
    RollingBack,
    Staging,
    State,
    Swapping,
    Verifying,
    Waiting,
    checked_move,
)
from pawld.ports import Event
from pawld.reasons import Reason

BUILD = Build("1.1.0", "a" * 64, 2)
STATES: list[State] = [
    Idle(Reason.UPDATED, "Updated.", START),
    Downloading(BUILD),
    Verifying(BUILD),
    Staging(BUILD),
    Waiting(BUILD, "slot", START, Reason.HOST_BUSY, "A job runs.", START),
    Swapping(BUILD, "slot", None, start=True),
    Probation(BUILD, "slot", "previous", start=False, since=START, starts_left=3),
    RollingBack(BUILD, "slot", "previous", start=True, reason=Reason.HEALTH_FAILED, message="It is sick."),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pawld.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = open_database(path, START)
    yield database
    database.close()


def event(reason: Reason = Reason.IN_PROGRESS, message: str = "On its way.") -> Event:
    return Event(START, "acme", "downloading", reason, message, "1.1.0", "a" * 64)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.state)
def test_every_state_reads_back_as_it_was(state: State) -> None:
    assert decoded(encoded(state)) == state


@pytest.mark.parametrize(
    "document", ["{broken", "[]", "{}", '{"state": "dreaming"}', '{"state": "verifying", "slot": 1}']
)
def test_what_is_no_state_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match=r"state|Expecting"):
        decoded(document)


def test_every_state_has_its_moves() -> None:
    assert set(MOVES) == {type(state) for state in STATES}


def test_a_move_that_the_diagram_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="from downloading to probation"):
        checked_move(STATES[1], STATES[6])


def test_a_recorded_state_and_its_history_are_there_after_a_restart(path: Path) -> None:
    first = open_database(path, START)
    Journal(first, "acme").move(Downloading(BUILD), event())
    first.close()

    second = open_database(path, START)
    journal = Journal(second, "acme")

    assert journal.state() == Downloading(BUILD)
    assert journal.history(10) == [event()]
    second.close()


def test_history_is_bounded_and_newest_first(database: Database) -> None:
    journal = Journal(database, "acme", kept=5)
    for number in range(20):
        journal.move(Downloading(BUILD), event(message=f"Number {number}."))

    assert [one.message for one in journal.history(100)] == [f"Number {number}." for number in range(19, 14, -1)]


def test_agents_do_not_see_each_other(database: Database) -> None:
    Journal(database, "acme").move(Downloading(BUILD), event())

    other = Journal(database, "other")
    assert other.state() == Idle()
    assert list(other.history(10)) == []


def test_a_state_that_cannot_be_read_counts_as_interrupted(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO states VALUES ('acme', '{\"state\": \"dreaming\"}')")

    state = Journal(database, "acme").state()

    assert isinstance(state, Idle)
    assert state.reason is Reason.INTERRUPTED


def test_facts_are_kept_and_removed(database: Database) -> None:
    journal = Journal(database, "acme")
    journal.note(when=START, what={"version": "1.1.0"})
    assert journal.fact("when") == START.isoformat()
    journal.note(what=None)
    assert journal.fact("what") is None
    with pytest.raises(TypeError):
        journal.note(odd=object())


def test_attempts_are_counted_until_they_are_forgotten(database: Database) -> None:
    journal = Journal(database, "acme")
    journal.count_attempt("a")
    journal.count_attempt("a")
    journal.count_attempt("b")
    assert (journal.attempts("a"), journal.attempts("b"), journal.attempts("c")) == (2, 1, 0)
    journal.forget_attempts("a")
    assert (journal.attempts("a"), journal.attempts("b")) == (0, 1)
    journal.forget_attempts()
    assert journal.attempts("b") == 0


@pytest.mark.parametrize("damage", [b"", b"rubbish" * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_an_unreadable_database_is_set_aside_and_begun_anew(path: Path, damage: bytes) -> None:
    first = open_database(path, START)
    Journal(first, "acme").move(Downloading(BUILD), event())
    first.close()
    path.write_bytes(damage)

    database = open_database(path, START + timedelta(days=1))

    assert Journal(database, "acme").state() == Idle()
    if damage:
        assert database.set_aside is not None
        assert database.set_aside.read_bytes() == damage
    database.close()


def test_a_page_that_rotted_is_noticed_at_start(path: Path) -> None:
    first = open_database(path, START)
    journal = Journal(first, "acme")
    for number in range(400):
        journal.note(**{f"fact{number}": "x" * 200})
    first.close()
    pages = bytearray(path.read_bytes())
    pages[4096 * 3 : 4096 * 9] = b"\xa5" * (4096 * 6)
    path.write_bytes(pages)

    database = open_database(path, START)

    assert database.set_aside is not None
    database.close()


def test_a_locked_database_is_not_thrown_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawld.lifecycle.database._BUSY_TIMEOUT", 0.05)
    open_database(path, START).close()
    path.with_name("pawld.db-journal").touch()
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(TransientError) as caught:
            open_database(path, START)
    finally:
        holder.close()
    assert caught.value.reason is Reason.IO_FAILED
    assert path.exists()


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pawld.lifecycle.database.make_directory", refused)

    with pytest.raises(OperatorError, match="Permission denied") as caught:
        open_database(tmp_path / "state" / "pawld.db", START)
    assert caught.value.reason is Reason.PERMISSION_DENIED


def test_reading_changes_nothing_and_answers_none_where_there_is_nothing_to_read(path: Path) -> None:
    assert open_for_reading(path) is None
    assert not path.parent.exists()
    path.parent.mkdir()
    path.write_bytes(b"rubbish" * 100)
    assert open_for_reading(path) is None
    path.unlink()
    open_database(path, START).close()
    reading = open_for_reading(path)
    assert reading is not None
    assert Journal(reading, "acme").state() == Idle()
    reading.close()


@pytest.fixture
def marks(database: Database, tmp_path: Path) -> HighWater:
    return HighWater(database, tmp_path / "marks.json")


def test_a_mark_rises_and_never_falls(marks: HighWater) -> None:
    assert marks.mark("acme", "sequence") is None
    marks.raise_to("acme", "sequence", 7)
    marks.raise_to("acme", "sequence", 5)
    assert marks.mark("acme", "sequence") == 7


def test_either_copy_of_the_marks_restores_the_other(marks: HighWater, tmp_path: Path) -> None:
    marks.raise_to("acme", "sequence", 7)
    (tmp_path / "marks.json").write_text("{broken")
    assert marks.mark("acme", "sequence") == 7
    marks.raise_to("acme", "sequence", 8)

    empty = open_database(tmp_path / "other" / "pawld.db", START)
    assert HighWater(empty, tmp_path / "marks.json").mark("acme", "sequence") == 8
    empty.close()


def test_a_forgotten_mark_is_gone_from_both_copies(marks: HighWater) -> None:
    marks.raise_to("acme", "timestamp", 7)
    marks.forget("acme", "timestamp")
    marks.forget("acme", "never there")
    assert marks.mark("acme", "timestamp") is None
