import os
from pathlib import Path

import pytest
import support.rigs
from support.rigs import RIGS, every, missing, program

pytest_plugins = ["pytester"]

CONFTEST = (Path(support.rigs.__file__).parent.parent / "conftest.py").read_text().replace('"support.systemd"', "")
LEANING = """
import pytest

@pytest.mark.rig("abacus")
def test_that_reckons():
    pass

@pytest.mark.rig("fingers")
def test_that_counts():
    pass
"""
RIGGED = """
from support import rigs
rigs.RIGS["abacus"] = rigs.program("abacus-of-no-host")
rigs.RIGS["fingers"] = lambda: None
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(Path(support.rigs.__file__).parent.parent))
    monkeypatch.delenv("PAWLD_REQUIRE_RIGS", raising=False)
    pytester.makeini("[pytest]\nmarkers = rig(name)\n")
    pytester.makeconftest(CONFTEST + RIGGED)
    pytester.makepyfile(LEANING)
    return pytester


def test_a_test_whose_rig_is_missing_is_skipped_with_the_reason(suite: pytest.Pytester) -> None:
    result = suite.runpytest_subprocess("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*the rig abacus is missing: there is no abacus-of-no-host*"])


def test_where_every_rig_is_required_a_missing_one_fails(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAWLD_REQUIRE_RIGS", "1")
    suite.runpytest_subprocess().assert_outcomes(passed=1, errors=1)


def test_a_rig_that_nobody_defined_is_an_error() -> None:
    with pytest.raises(KeyError):
        missing("astrolabe")


def test_every_rig_answers_none_or_a_phrase() -> None:
    assert all(missing(name) is None or str(missing(name)) for name in RIGS)


def test_the_first_thing_that_is_missing_is_named() -> None:
    assert every(lambda: None, lambda: "no sun", lambda: "no moon")() == "no sun"
    assert every(program("sh" if os.name == "posix" else "cmd"))() is None
