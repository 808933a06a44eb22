"""The child that applies differences: what it is asked, what it refuses, and how it is ended."""

import io
import time
from datetime import timedelta

import pytest
from support.patches import edited, program

from pawld.errors import TransientError
from pawld.install.patching import child, engine
from pawld.install.patching.child import DONE, REQUEST, serve, stated_length
from pawld.install.patching.engine import Engine, engines
from pawld.reasons import Reason

hdiffpatch = pytest.importorskip("hdiffpatch")

OLD = program(1, 50_000)
NEW = edited(OLD, 2)
DIFFERENCE = hdiffpatch.diff(OLD, NEW, None)


def applied(one: Engine, difference: bytes = DIFFERENCE, length: int = len(NEW)) -> bytes:
    return b"".join(one.applied(len(OLD), [OLD], len(difference), [difference], length))


def test_one_child_applies_one_difference_after_the_other() -> None:
    with Engine() as one:
        assert applied(one) == NEW
        assert applied(one) == NEW


def test_a_difference_that_is_none_ends_the_child_and_says_why() -> None:
    with Engine() as one, pytest.raises(TransientError) as caught:
        applied(one, b"no difference at all")
    assert caught.value.reason is Reason.PATCH_FAILED
    assert "the difference has no type" in caught.value.message


def test_a_child_that_takes_too_long_is_killed() -> None:
    began = time.monotonic()
    with Engine(longest=timedelta(milliseconds=1)) as one:
        time.sleep(0.1)
        with pytest.raises(TransientError) as caught:
            applied(one)
    assert caught.value.reason is Reason.PATCH_FAILED
    assert time.monotonic() - began < 10


def test_a_frozen_pawld_and_one_without_the_wheel_have_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines() == {"hdiffpatch"}
    monkeypatch.setattr("sys.frozen", True, raising=False)
    assert engines() == frozenset()
    monkeypatch.undo()
    monkeypatch.setattr(engine, "ENGINE", "no_such_engine")
    assert engines() == frozenset()


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300_000, 8 * 1024 * 1024])
def test_the_length_that_a_difference_makes_is_read_from_its_head(length: int) -> None:
    assert stated_length(hdiffpatch.diff(b"base", bytes(length), None)) == length


@pytest.mark.parametrize("difference", [b"", b"HDIFF13&", b"HDIFF13&\0", b"HDIFF13&\0" + b"\xff" * 60])
def test_a_difference_without_a_length_is_refused(difference: bytes) -> None:
    with pytest.raises(ValueError, match="has no"):
        stated_length(difference)


def test_the_child_answers_until_its_input_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_limit", lambda: None)  # this process is to go on
    request = REQUEST.pack(len(OLD), len(DIFFERENCE), len(NEW)) + OLD + DIFFERENCE
    answers = io.BytesIO()
    serve(io.BytesIO(request * 2), answers)
    assert answers.getvalue() == (DONE + NEW) * 2
