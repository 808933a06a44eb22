"""What becomes a ``Verified``, and what it still refuses afterwards."""

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
from support.trusting import LINUX, MemoryMarks, SetClock

from pawld.errors import PawldError, RejectedError
from pawld.model import Chunks, Record
from pawld.ports import ChunkProof, Downloaded
from pawld.reasons import Reason
from pawld.trust.pinned import PinnedEngine
from pawld.trust.policy import Policy

SIZE = 64 * 1024
DATA = bytes(range(256)) * 1000


@pytest.fixture
def policy() -> Policy:
    return Policy([PinnedEngine({})], MemoryMarks(), SetClock(), "acme")


def record_of(data: bytes) -> Record:
    pieces = [data[start : start + SIZE] for start in range(0, len(data), SIZE)]
    digests = tuple(hashlib.sha256(piece).hexdigest() for piece in pieces)
    digest = hashlib.sha256(data).hexdigest()
    return Record(
        "acme", "stable", LINUX, "1.0.0", 1, len(data), digest, "acme.zip", "zip", chunks=Chunks(SIZE, digests)
    )


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    path = tmp_path / "build.unverified"
    path.write_bytes(DATA)
    with path.open("r+b") as opened:
        yield opened


def downloaded(file: BinaryIO) -> Downloaded:
    return Downloaded(file, Path(file.name), "https://cdn.example")


def test_a_proven_file_is_read_from_the_descriptor_that_was_hashed(policy: Policy, file: BinaryIO) -> None:
    verified = policy.prove(record_of(DATA), downloaded(file))
    Path(file.name).unlink()
    Path(file.name).write_bytes(b"swapped")

    verified.confirm()
    assert verified.seekable() is file
    assert file.read() == DATA
    with verified.stream() as stream:
        assert stream.read() == DATA
    assert not file.closed


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DATA[:-1] + b"x", Reason.DIGEST_MISMATCH),
        (DATA[:-1], Reason.LENGTH_MISMATCH),
        (DATA + b"x", Reason.LENGTH_MISMATCH),
        (b"", Reason.LENGTH_MISMATCH),
    ],
)
def test_other_bytes_are_refused_with_both_figures_and_their_origin(
    data: bytes, reason: Reason, policy: Policy, file: BinaryIO
) -> None:
    Path(file.name).write_bytes(data)

    with pytest.raises(RejectedError) as refused:
        policy.prove(record_of(DATA), downloaded(file))

    assert refused.value.reason is reason
    assert "https://cdn.example" in refused.value.message
    assert Path(file.name).read_bytes() == data


def test_a_file_that_changes_after_its_proof_is_refused_when_it_is_confirmed(policy: Policy, file: BinaryIO) -> None:
    verified = policy.prove(record_of(DATA), downloaded(file))
    file.seek(10)
    file.write(b"evil")
    file.flush()

    with pytest.raises(RejectedError) as refused:
        verified.confirm()

    assert refused.value.reason is Reason.DIGEST_MISMATCH


@pytest.mark.parametrize(("length", "fits"), [(len(DATA), True), (len(DATA) + 9, True), (len(DATA) - 1, False)])
def test_where_no_length_was_signed_it_is_a_cap(length: int, fits: bool, policy: Policy, file: BinaryIO) -> None:
    record = replace(record_of(DATA), length=length, length_signed=False)

    if fits:
        policy.prove(record, downloaded(file)).confirm()
        return
    with pytest.raises(RejectedError) as refused:
        policy.prove(record, downloaded(file))
    assert refused.value.reason is Reason.LENGTH_MISMATCH


class Mover:
    """Yields *data* in chunks from one reused buffer, as the real one does, and keeps them in *path*."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data = data
        self.path = path
        self.ended = False

    def chunks(self, proof: ChunkProof) -> Iterator[memoryview]:
        buffer = bytearray(SIZE)
        try:
            with self.path.open("wb") as kept:
                for number, start in enumerate(range(0, len(self.data), SIZE)):
                    piece = self.data[start : start + SIZE]
                    buffer[: len(piece)] = piece
                    view = memoryview(buffer)[: len(piece)]
                    if not proof(number, view):
                        raise RejectedError(Reason.DIGEST_MISMATCH, f"Chunk {number} is not what was signed.")
                    kept.write(view)
                    yield view
        finally:
            self.ended = True


Streamed = Callable[[bytes], Mover]


@pytest.fixture
def mover(tmp_path: Path) -> Streamed:
    return lambda data: Mover(data, tmp_path / "build.unverified")


def test_chunks_come_out_as_one_stream_and_the_whole_is_confirmed(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)

    with verified.stream() as stream:
        assert stream.read(10) == DATA[:10]
        assert stream.read() == DATA[10:]

    verified.confirm()
    assert moving.ended


def test_what_the_reader_leaves_is_taken_and_proven_as_well(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)

    with verified.stream() as stream:
        stream.read(10)
        stream.close()

    verified.confirm()
    assert moving.path.read_bytes() == DATA


def test_no_byte_of_a_changed_chunk_comes_out(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA[:SIZE] + b"x" + DATA[SIZE + 1 :])
    came_out = io.BytesIO()
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)

    with pytest.raises(RejectedError) as refused, verified.stream() as stream:
        shutil.copyfileobj(stream, came_out, SIZE)

    assert refused.value.reason is Reason.DIGEST_MISMATCH
    assert moving.ended
    assert came_out.getvalue() == moving.path.read_bytes() == DATA[:SIZE]


@pytest.mark.parametrize("data", [DATA[:SIZE], DATA + b"more"])
def test_a_stream_of_another_length_is_refused(data: bytes, policy: Policy, mover: Streamed) -> None:
    moving = mover(data)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)

    with pytest.raises(RejectedError), verified.stream() as stream:
        stream.read()
    with pytest.raises(PawldError) as unproven:
        verified.confirm()
    assert unproven.value.reason is Reason.TRANSFER_CUT


def test_chunks_that_add_up_to_another_digest_than_the_records_are_refused(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    lying = replace(record_of(DATA), sha256="0" * 64)
    verified = policy.prove_chunks(lying, moving.chunks, moving.path)

    with pytest.raises(RejectedError) as refused, verified.stream() as stream:
        stream.read()

    assert refused.value.reason is Reason.DIGEST_MISMATCH


def test_a_reader_that_fails_ends_the_transfer_and_proves_nothing(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)

    with pytest.raises(ZeroDivisionError), verified.stream() as stream:
        assert 1 / (len(stream.read(1)) - 1)

    assert moving.ended
    with pytest.raises(PawldError):
        verified.confirm()


def test_a_format_that_seeks_gets_the_whole_proven_file(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)

    with verified.seekable() as file:
        assert file.read() == DATA
    with verified.seekable() as file:
        assert file.read() == DATA


def test_a_kept_file_that_was_changed_meanwhile_is_refused(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)
    with verified.stream() as stream:
        stream.read()
    moving.path.write_bytes(DATA[:-1] + b"x")

    with pytest.raises(RejectedError) as refused:
        verified.seekable()

    assert refused.value.reason is Reason.DIGEST_MISMATCH


def test_a_record_without_chunks_cannot_be_streamed(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)

    with pytest.raises(RejectedError):
        policy.prove_chunks(replace(record_of(DATA), chunks=None), moving.chunks, moving.path)


def test_a_chunk_of_a_number_that_is_not_listed_is_not_accepted(policy: Policy, mover: Streamed) -> None:
    asked: list[bool] = []

    def chunks(proof: ChunkProof) -> Iterator[memoryview]:
        asked.extend(proof(number, memoryview(DATA[:SIZE])) for number in (-1, 99, 1))
        yield from ()

    verified = policy.prove_chunks(record_of(DATA), chunks, mover(DATA).path)

    with pytest.raises(RejectedError), verified.stream():
        pass
    assert asked == [False, False, DATA[:SIZE] == DATA[SIZE : 2 * SIZE]]


def test_what_was_let_go_takes_no_room_and_is_still_the_movers_to_remove(policy: Policy, mover: Streamed) -> None:
    moving = mover(DATA)
    verified = policy.prove_chunks(record_of(DATA), moving.chunks, moving.path)
    with verified.stream() as stream:
        stream.read()
    verified.confirm()

    verified.let_go()

    assert moving.path.read_bytes() == b""
    moving.path.unlink()
    verified.let_go()


def test_a_proven_file_that_was_let_go_is_empty_and_held_open(policy: Policy, file: BinaryIO) -> None:
    verified = policy.prove(record_of(DATA), downloaded(file))

    verified.let_go()

    assert Path(file.name).stat().st_size == 0
    file.close()
    verified.let_go()
