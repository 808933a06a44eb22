"""Patches that were changed and signed all the same: no wrong byte becomes a slot, and nothing but a child dies."""

import random
import resource
import struct
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.patches import File, Pair, PatchHost, content_of, edited, packed, program

from pawld.errors import PawldError, RejectedError
from pawld.formats import patch as container
from pawld.install.patching.engine import Engine
from pawld.reasons import Reason

pytest.importorskip("hdiffpatch")

FEW, MANY = 40, 400
pytestmark = pytest.mark.timeout(600)
campaign = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.long)])

OLD = program(1, 60_000)
NEW = edited(OLD, 2, 60)
GROWTH = 64 * 1024 * 1024  # bytes that the parent may take while it reads hostile patches


@pytest.fixture
def host(tmp_path: Path) -> Iterator[PatchHost]:
    old = {"bin/acme": File(OLD, 0o755), "lib/a": File(program(3, 9000)), "lib/b": File(b"b")}
    new = old | {"bin/acme": File(NEW, 0o755), "lib/b": File(b"c" * 500)}
    pair = Pair(tmp_path / "pair", packed(old), packed(new))
    yield PatchHost(tmp_path / "root", pair)
    pair.close()


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with one to four faults: a flipped bit, a byte, a long number, a cut, a piece twice or missing."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(max(1, len(out)))
        match chance.randrange(6):
            case 0:
                out[place : place + 1] = bytes([(out[place] if out else 0) ^ 1 << chance.randrange(8)])
            case 1:
                out[place : place + 1] = chance.randbytes(1)
            case 2:
                out[place : place + 4] = b"\xff\xff\xff\x7f"
            case 3:
                del out[place:]
            case 4:
                out[place:place] = out[place : place + 16]
            case _:
                del out[place : place + chance.randrange(1, 32)]
    return bytes(out)


@campaign
def test_no_mutation_of_the_container_becomes_another_slot(host: PatchHost, count: int) -> None:
    chance, before, ended = random.Random(20260101), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, Counter[str]()
    for _ in range(count):
        ended[_staged(host, mutated(host.pair.bytes, chance))] += 1
    assert sum(ended.values()) == count
    assert set(ended) <= {"harmless", "patch_failed", "digest_mismatch", "archive_refused", "slot_damaged"}
    assert ended["harmless"] < count / 20  # only where nothing but the frame's own bytes differ
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < GROWTH


@campaign
def test_no_mutation_of_a_header_becomes_another_slot(host: PatchHost, count: int) -> None:
    chance = random.Random(7)
    with (host.pair.home / "patch").open("rb") as file:
        reader = container.PatchReader(file)
        differences = [b"".join(reader.difference(one)) for one in reader.header.segments]
    document = container._document(reader.header)
    for _ in range(count):
        _staged(host, _framed(mutated(document, chance), b"".join(differences)))


@campaign
def test_no_mutation_of_a_difference_yields_other_bytes_than_were_signed(host: PatchHost, count: int) -> None:
    chance, ended = random.Random(11), Counter[str]()
    with (host.pair.home / "patch").open("rb") as file:
        reader = container.PatchReader(file)
        segment = reader.header.segments[0]
        difference = b"".join(reader.difference(segment))
    for _ in range(count):
        forged = mutated(difference, chance)
        header = container.PatchHeader(
            **{name: getattr(reader.header, name) for name in reader.header.__slots__ if name != "segments"},
            segments=(container.Segment(segment.start, segment.window, len(forged), segment.length, segment.sha256),),
        )
        with (host.pair.home / "forged").open("wb") as out:
            container.write(header, iter([forged]), out, level=1)
        ended[_staged(host, (host.pair.home / "forged").read_bytes())] += 1
    assert set(ended) <= {"harmless", "patch_failed"}
    assert ended["patch_failed"] > count * 0.9


@pytest.mark.parametrize(
    "numbers", [b"\xff" * 9 + b"\x7f", b"\x84\x80\x80\x00" + b"\xff\xff\xff\xff\xff\xff\xff\x7f" * 8]
)
def test_a_difference_that_asks_for_more_memory_than_there_is_ends_its_child_alone(numbers: bytes) -> None:
    forged = b"HDIFF13&\0" + numbers + bytes(64)
    with Engine() as engine, pytest.raises(PawldError) as caught:
        b"".join(engine.applied(4, [b"base"], len(forged), [forged], 8 * 1024 * 1024))
    assert caught.value.reason is Reason.PATCH_FAILED


def test_a_header_that_says_it_is_huge_is_refused_before_it_is_read(host: PatchHost) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for length in (0xFFFFFFFF, container.MAX_HEADER + 1, container.MAX_HEADER):
        assert _staged(host, _framed(b"{}", b"", length)) == "patch_failed"
    bomb = _framed(b" " * (15 * 1024 * 1024), b"")
    assert len(bomb) < 100_000
    assert _staged(host, bomb) == "patch_failed"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 2 * GROWTH


@pytest.mark.parametrize(
    "document",
    [
        b'{"new":[' + b"[]," * 600_000 + b"0]}",
        b'{"x":[' + b"{}," * 600_000 + b"0]}",
        b'{"x":"' + b"a" * 2_000_000 + b'\\ud83d\\ude00"}',
    ],
    ids=["lists", "objects", "a wide string"],
)
def test_what_a_header_unfolds_to_in_memory_is_bounded(host: PatchHost, document: bytes) -> None:
    tracemalloc.start()
    try:
        assert _staged(host, _framed(document, b"")) == "patch_failed"
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_patch_that_is_not_the_signed_one_is_not_even_opened(host: PatchHost) -> None:
    chance = random.Random(13)
    pair = host.pair
    for data in (*(mutated(pair.bytes, chance) for _ in range(50)), pair.bytes + b"\0", pair.bytes * 2, b""):
        (pair.home / "patch.unverified").write_bytes(data)
        with pytest.raises(RejectedError) as caught:
            pair.prove_as_signed()
        assert caught.value.reason in (Reason.DIGEST_MISMATCH, Reason.LENGTH_MISMATCH)


def _framed(document: bytes, rest: bytes, length: int | None = None) -> bytes:
    import zstandard  # noqa: PLC0415 - only here

    said = len(document) if length is None else length
    return container.MAGIC + zstandard.ZstdCompressor(level=3).compress(struct.pack(">I", said) + document + rest)


def _staged(host: PatchHost, data: bytes) -> str:
    """Stage it; whatever became a slot has to be the very build."""
    try:
        slot = host.patched(data)
    except PawldError as error:
        assert host.left_behind() == []
        return error.reason.code
    whole = content_of(slot)
    assert whole["bin/acme"] == (0o755, NEW)
    assert host.installer.intact(slot)
    host.forget(slot)
    return "harmless"
