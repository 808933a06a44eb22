"""The window is where the segment's counterpart lies, wherever that went."""

import random

import pytest

from pawld.publish.patching.window import window_of

KiB = 1024
OLD = random.Random(1).randbytes(1024 * KiB)


def test_a_short_base_is_one_window() -> None:
    assert window_of(OLD[:1000], b"anything", 0, 4096) == (0, 1000)


@pytest.mark.parametrize("place", [0, 300 * KiB, 900 * KiB])
@pytest.mark.parametrize("expected", [0, 500 * KiB, 1000 * KiB])
def test_a_segment_is_found_wherever_it_moved_to(place: int, expected: int) -> None:
    start, length = window_of(OLD, OLD[place : place + 64 * KiB], expected, 128 * KiB)
    assert start <= place
    assert place + 64 * KiB <= start + length
    assert 0 <= start <= len(OLD) - length


def test_what_is_nowhere_in_the_base_is_made_from_the_expected_place() -> None:
    start, length = window_of(OLD, random.Random(2).randbytes(64 * KiB), 500 * KiB, 128 * KiB)
    assert (start, length) == (468 * KiB, 128 * KiB)


def test_padding_and_repeated_bytes_do_not_vote() -> None:
    old = bytes(512 * KiB) + OLD
    start, length = window_of(old, bytes(32 * KiB) + OLD[700 * KiB : 732 * KiB], 0, 128 * KiB)
    assert start <= 512 * KiB + 700 * KiB < start + length
