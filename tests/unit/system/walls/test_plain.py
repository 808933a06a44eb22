"""The one form in which a child tells root anything but bytes."""

import json
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pawld.system.walls.plain import DEEPEST, LONGEST_VALUE, MOST_VALUES, BadValueError, decoded, encoded

NAMES = st.text(st.characters(), max_size=8)  # lone surrogates too, as names of files have them
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(1 - 2**255, 2**255 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | NAMES
    | st.binary(max_size=20)
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4))


def number(value: int) -> bytes:
    return struct.pack(">I", value)


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@given(VALUES)
def test_every_plain_value_comes_back_as_it_was(value: Any) -> None:
    found = decoded(encoded(value))
    assert found == value
    assert repr(found) == repr(value), "True is not 1, and 1.0 is not either"


@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"l", b"d", b"s", b"i", b"\0\0\0\1", b"N"])).map(b"".join))
@example(b"l\xff\xff\xff\xffN")
@example(b"d\xff\xff\xff\xff")
def test_any_bytes_are_a_value_or_refused_and_nothing_else(content: bytes) -> None:
    try:
        value = decoded(content)
    except BadValueError:
        return
    assert decoded(encoded(value)) == value


@given(VALUES, st.data())
def test_a_value_that_is_cut_off_or_has_a_tail_is_none(value: Any, data: st.DataObject) -> None:
    content = encoded(value)
    cut = data.draw(st.integers(0, len(content) - 1))
    for wrong in (content[:cut], content + b"N"):
        with pytest.raises(BadValueError):
            decoded(wrong)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off"),
        (b"%", "kind b'%'"),
        (b"NN", "more than one"),
        (b"s" + number(2) + b"x", "cut off"),
        (b"s" + number(1) + b"\xff", "not UTF-8"),
        (b"i" + number(33) + bytes(33), "an integer of 33 bytes"),
        (b"f" + struct.pack(">d", float("nan")), "not finite"),
        (b"f" + struct.pack(">d", float("inf")), "not finite"),
        (b"d" + number(2) + (number(1) + b"kN") * 2, "a key twice"),
        (b"d" + number(1) + b"N", "cut off"),
        ((b"l" + number(1)) * (DEEPEST + 1) + b"N", "deeper"),
        ((b"l" + number(1)) * 100_000, "deeper"),
        (b"l" + number(MOST_VALUES) + b"N" * MOST_VALUES, "more or deeper"),
        (b"b" + number(LONGEST_VALUE) + bytes(LONGEST_VALUE), f"more than {LONGEST_VALUE} bytes"),
    ],
)
def test_what_is_no_value_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(BadValueError, match=words):
        decoded(content)


@pytest.mark.parametrize(
    "value",
    [
        nested(DEEPEST + 1),
        [None] * MOST_VALUES,
        bytes(LONGEST_VALUE),
        2**255,
        float("inf"),
        object(),
        json.loads("9" * 400),
    ],
    ids=["deep", "many", "long", "wide", "infinite", "no value", "huge"],
)
def test_what_the_other_end_would_refuse_is_not_sent(value: Any) -> None:
    with pytest.raises(BadValueError):
        encoded(value)


def test_the_deepest_and_the_most_pass() -> None:
    for value in (nested(DEEPEST), [None] * (MOST_VALUES - 1)):
        assert decoded(encoded(value)) == value
