"""Several records in one durable step: all of them, or none."""

from pathlib import Path

import pytest
from support.world import START

from pawld.lifecycle.database import open_database
from pawld.lifecycle.journal import Journal


def test_what_is_recorded_together_is_there_together(tmp_path: Path) -> None:
    database = open_database(tmp_path / "pawld.db", START)
    journal = Journal(database, "acme")

    with journal.together():
        journal.note(previous="1.0.0")
        journal.count_attempt("ab" * 32)
    database.close()

    journal = Journal(reopened := open_database(tmp_path / "pawld.db", START), "acme")
    assert (journal.fact("previous"), journal.attempts("ab" * 32)) == ("1.0.0", 1)
    reopened.close()


def test_a_cut_in_the_middle_leaves_nothing_of_it(tmp_path: Path) -> None:
    database = open_database(tmp_path / "pawld.db", START)
    journal = Journal(database, "acme")

    def cut() -> None:
        with journal.together():
            journal.note(previous="1.0.0")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut()

    assert journal.fact("previous") is None
    journal.note(previous="1.1.0")
    assert journal.fact("previous") == "1.1.0"
    database.close()
