"""A verdict on a build is kept with what it was reached in, and read whoever wrote it."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawld.lifecycle.blocklist import Blocklist
from pawld.lifecycle.database import Database, open_database, open_for_reading
from pawld.model import Blocked

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SICK = Blocked("1.1.0", "a" * 64, "health_failed", NOW + timedelta(days=7), "A newer release lifts it.", "Sick.", 2)
# As the first pawld made it, with a line in it.
FIRST_SCHEMA = f"""
CREATE TABLE states (agent TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE blocked (
  agent TEXT, sha256 TEXT, version TEXT NOT NULL, cause TEXT NOT NULL, until TEXT, lifted_by TEXT NOT NULL,
  message TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (agent, version, sha256)) STRICT;
INSERT INTO blocked VALUES
  ('acme', '{SICK.sha256}', '1.1.0', 'health_failed', '{SICK.until}', '{SICK.lifted_by}', 'Sick.', 2);
PRAGMA user_version = 1;
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path / "pawld.db", NOW)
    yield database
    database.close()


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """The state of a host whose pawld knew no environments."""
    with sqlite3.connect(tmp_path / "first.db") as connection:
        connection.executescript(FIRST_SCHEMA)
    connection.close()
    return tmp_path / "first.db"


def test_a_build_that_failed_is_blocked_where_it_failed_and_tested_anew_in_another_environment(
    database: Database,
) -> None:
    Blocklist(database, "acme", "kernel 6.1").block(SICK)

    same, other = Blocklist(database, "acme", "kernel 6.1"), Blocklist(database, "acme", "kernel 6.12")

    standing = same.standing("1.1.0", SICK.sha256)
    assert standing is not None
    assert standing.environment == "kernel 6.1"
    assert other.standing("1.1.0", SICK.sha256) is None
    known = other.of("1.1.0", SICK.sha256)
    assert known is not None
    assert known.times == 2, "it is blocked for longer if it fails there too"


def test_a_persons_word_holds_in_any_environment(database: Database) -> None:
    word = Blocked("1.1.0", "", "operator_block", None, "`pawld unblock` lifts it.")
    Blocklist(database, "acme", "kernel 6.1").block(word)

    assert Blocklist(database, "acme", "kernel 6.12").standing("1.1.0", "b" * 64) == word


def test_the_state_of_an_older_pawld_is_read_as_it_is_and_taken_over(first: Path) -> None:
    reading = open_for_reading(first)
    assert reading is not None
    assert Blocklist(reading, "acme").all() == [SICK]
    reading.close()

    database = open_database(first, NOW)
    try:
        assert database.set_aside is None
        assert Blocklist(database, "acme", "kernel 6.12").standing("1.1.0", SICK.sha256) == SICK
        Blocklist(database, "acme", "kernel 6.12").block(SICK)
        assert [one.environment for one in Blocklist(database, "acme").all()] == ["kernel 6.12"]
        assert database.rows("PRAGMA user_version") == [(2,)]
    finally:
        database.close()


def test_an_older_pawld_that_came_back_can_still_write(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO blocked (agent, sha256, version, cause, until, lifted_by, message, times) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ("acme", SICK.sha256, "1.1.0", "health_failed", str(SICK.until), SICK.lifted_by, "Sick.", 2),
        )

    assert Blocklist(database, "acme", "kernel 6.12").standing("1.1.0", SICK.sha256) == SICK
