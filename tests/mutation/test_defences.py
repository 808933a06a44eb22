"""The table of defences, and the README's, speak of what is there; that each row goes red is ``run.py``'s to show."""

import re
from pathlib import Path

import pytest
from mutation import run

TESTS = Path(__file__).parents[1]
README = TESTS.parent / "README.md"


def exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = TESTS / path.removeprefix("tests/")
    return file.is_file() and (not name or f"def {name}(" in file.read_text("utf-8"))


@pytest.mark.parametrize("defence", run.defences(), ids=lambda one: f"{one.threat}: {one.name}")
def test_a_defence_stands_once_where_the_table_says_and_names_tests_that_are_there(defence: run.Defence) -> None:
    if not defence.file.startswith("tuf/"):
        source = defence.place(TESTS.parent / "src")
        assert source.read_text("utf-8").count(defence.old) == 1
    assert defence.tests
    assert [test for test in defence.tests if not exists(test)] == []


def named_in_the_readme() -> list[tuple[str, list[str]]]:
    """Each row of the threat table, with the tests that it names."""
    section = README.read_text("utf-8").split("\n## Security\n")[1].split("\n## ")[0]
    table = section.split("| attack |")[1]
    rows = [row for row in table.splitlines()[2:] if row.startswith("|")]
    return [(row, re.findall(r"`([\w/]+\.py(?:::\w+)?)` \|$", row)) for row in rows]


def test_every_row_of_the_readmes_table_names_a_test_that_is_there() -> None:
    rows = named_in_the_readme()
    assert len(rows) > 20
    assert [row for row, tests in rows if not tests or not all(map(exists, tests))] == []


def test_every_row_of_the_readmes_table_is_shown_by_a_defence_that_is_taken_out() -> None:
    shown = {test.removeprefix("tests/") for defence in run.defences() for test in defence.tests}
    files = {test.partition("::")[0] for test in shown}
    assert [row for row, tests in named_in_the_readme() if not set(tests) <= shown | files] == []
