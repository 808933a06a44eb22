"""Which part of the old stream a segment of the new one is most like.

Short probes out of the segment are looked up in the old bytes; those that stand there exactly once vote for the place.
A file whose layout moved as a whole finds its counterpart so, which the same relative offset would miss.
"""

import mmap
from collections.abc import Sequence

_PROBE = 32  # bytes; machine code hardly repeats so much by chance
_PROBES = 48
_DISTINCT = 8  # different bytes in a probe; padding and tables have fewer
_ENOUGH = 12  # votes near the expected place, after which no other is looked for


def window_of(old: mmap.mmap | bytes, segment: bytes, expected: int, most: int) -> tuple[int, int]:
    """Return start and length of the best window, of at most *most* bytes.

    *expected* is where the counterpart would be if nothing but lengths had changed.
    """
    if len(old) <= most:
        return 0, len(old)
    probes = _probes(segment)
    votes = _votes(old, probes, max(0, expected - most), min(len(old), expected + 2 * most))
    if len(votes) < _ENOUGH:
        votes = _votes(old, probes, 0, len(old))
    middle = _densest(votes, most) if votes else expected + len(segment) // 2
    start = max(0, min(middle - most // 2, len(old) - most))
    return start, most


def _probes(segment: bytes) -> list[bytes]:
    step = max(1, len(segment) // _PROBES)
    found = (segment[place : place + _PROBE] for place in range(0, len(segment), step))
    return [one for one in found if len(one) == _PROBE and len(set(one)) >= _DISTINCT]


def _votes(old: mmap.mmap | bytes, probes: Sequence[bytes], start: int, end: int) -> list[int]:
    """Return the places of the probes that stand there once, sorted."""
    places = ((old.find(one, start, end), one) for one in probes)
    return sorted(place for place, one in places if place >= 0 and old.find(one, place + 1, end) < 0)


def _densest(votes: Sequence[int], most: int) -> int:
    """Return the middle of the stretch of *most* bytes that has the most votes."""
    best, low = (0, 0), 0
    for high, place in enumerate(votes):
        while place - votes[low] > most:
            low += 1
        best = max(best, (high - low + 1, -low))
    count, low = best[0], -best[1]
    return (votes[low] + votes[low + count - 1]) // 2
