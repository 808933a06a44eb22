"""The container of a patch reads back as it was written, and nothing beyond its bounds is read."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pawld.formats.patch import (
    MAGIC,
    MAX_DIFFERENCE,
    MAX_HEADER,
    MAX_VALUES,
    SEGMENT,
    WINDOW,
    Moved,
    NewFile,
    PatchHeader,
    PatchReader,
    Segment,
    TooLargeError,
    write,
)

HEADER = PatchHeader(
    base_tree="b" * 64,
    old=("bin/acme", "gone"),
    new=(NewFile("bin/acme", 0o755, 5), NewFile("new", 0o644, 3)),
    segments=(Segment(7, 9, 4, 6, "c" * 64), Segment(0, 0, 2, 2, "d" * 64)),
    moved=(Moved("there", 0o644, "here"),),
    removed=("gone",),
    made=("a", "a/b"),
    unmade=("old",),
    links=(("lib.so", "lib.so.1"),),
)


def packed(header: PatchHeader, *differences: bytes) -> bytes:
    out = io.BytesIO()
    write(header, iter(differences), out)
    return out.getvalue()


def framed(document: Any) -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return MAGIC + zstandard.compress(len(text).to_bytes(4, "big") + text)


def test_what_is_written_reads_back_with_its_differences() -> None:
    reader = PatchReader(io.BytesIO(packed(HEADER, b"abcd", b"ef")))

    assert reader.header == HEADER
    assert [b"".join(reader.difference(one)) for one in HEADER.segments] == [b"abcd", b"ef"]
    reader.end()


def test_a_difference_of_many_blocks_reads_back() -> None:
    whole = bytes(range(256)) * 4000
    segment = replace(HEADER.segments[0], difference=len(whole))
    reader = PatchReader(io.BytesIO(packed(replace(HEADER, segments=(segment, HEADER.segments[1])), whole, b"ef")))

    assert b"".join(reader.difference(segment)) == whole


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "begin"),
        (b"pawld-patch2" + packed(HEADER)[12:], "begin"),
        (MAGIC, "early"),
        (MAGIC + b"no zstd frame", "broken"),
        (packed(HEADER)[:-20], "early|broken"),
        (MAGIC + zstandard.compress((MAX_HEADER + 1).to_bytes(4, "big") + b"{}"), "bytes long"),
        (framed(b"["), "Expecting"),
        (framed(b'{"new":[' + b"[]," * MAX_VALUES + b"0]}"), "more than any patch may"),
        (framed('{"base_tree": "é"}'.encode()), "more than any patch may"),
        (framed([]), "no object"),
        (framed({"new": {}}), "no list"),
        (framed({"new": [["a", "b", 1]]}), "another form"),
        (framed({"new": [["a", 1]]}), "another form"),
        (framed({"removed": [7]}), "another form"),
    ],
)
def test_what_is_no_patch_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        PatchReader(io.BytesIO(data))


def test_a_patch_with_more_to_name_than_a_host_would_read_is_not_written() -> None:
    for names in (("x" * MAX_HEADER,), ("x",) * MAX_VALUES):
        with pytest.raises(TooLargeError):
            packed(replace(HEADER, removed=names))


@pytest.mark.parametrize(
    "change",
    [
        {"segments": (Segment(-1, 0, 1, 8, "a"),)},
        {"segments": (Segment(0, WINDOW + 1, 1, 8, "a"),)},
        {"segments": (Segment(0, 0, MAX_DIFFERENCE + 1, 8, "a"),)},
        {"segments": (Segment(0, 0, 1, SEGMENT + 1, "a"),), "new": (NewFile("a", 0, SEGMENT + 1),)},
        {"segments": (Segment(0, 0, 1, 0, "a"),), "new": ()},
        {"segments": ()},
        {"new": (NewFile("b", 0, 4), NewFile("a", 0, 4))},
        {"new": (NewFile("a", 0, 4), NewFile("a", 0, 4))},
        {"new": (NewFile("a", 0, -1), NewFile("b", 0, 9))},
    ],
)
def test_a_number_out_of_its_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"larger|negative|add up|sorted"):
        PatchReader(io.BytesIO(packed(replace(HEADER, **change))))


def test_a_difference_that_ends_early_or_is_followed_by_more_is_refused() -> None:
    reader = PatchReader(io.BytesIO(packed(HEADER, b"ab")))
    with pytest.raises(ValueError, match="early"):
        list(reader.difference(HEADER.segments[0]))

    reader = PatchReader(io.BytesIO(packed(HEADER, b"abcdefg")))
    list(reader.difference(HEADER.segments[0]))
    with pytest.raises(ValueError, match="follows"):
        reader.end()


@given(st.binary(max_size=200))
def test_no_document_raises_anything_else(document: bytes) -> None:
    try:
        PatchReader(io.BytesIO(framed(document)))
    except (ValueError, RecursionError):
        return
