"""Chunk digests add up to the build, and stay few."""

import hashlib
from pathlib import Path

import pytest

from pawld.publish.measure import MiB, blocks_of, chunk_size, chunks_of, copied


@pytest.mark.parametrize("length", [1, MiB - 1, MiB, MiB + 1, 3 * MiB + 7])
def test_every_byte_is_in_one_chunk(tmp_path: Path, length: int) -> None:
    data = bytes(range(251)) * (length // 251 + 1)
    path = tmp_path / "build"
    path.write_bytes(data[:length])
    chunks = chunks_of(path, length)
    assert chunks is not None
    pieces = [data[:length][at : at + chunks.size] for at in range(0, length, chunks.size)]
    assert chunks.sha256 == tuple(hashlib.sha256(piece).hexdigest() for piece in pieces)


@pytest.mark.parametrize(
    ("length", "size"),
    [(1, MiB), (2048 * MiB, MiB), (2048 * MiB + 1, 2 * MiB), (4097 * MiB, 4 * MiB), (1 << 40, 4 * MiB)],
)
def test_a_chunk_is_as_small_as_the_record_can_bear(length: int, size: int) -> None:
    assert chunk_size(length) == size


def test_an_enormous_build_has_no_chunks(tmp_path: Path) -> None:
    assert chunks_of(tmp_path / "never-opened", 1 << 40) is None


def test_a_copy_is_measured_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(b"hello" * 1000)
    with (tmp_path / "to").open("wb") as to:
        measured = copied(blocks_of(tmp_path / "from"), to)
    data = (tmp_path / "to").read_bytes()
    assert (measured.length, measured.sha256) == (5000, hashlib.sha256(data).hexdigest())
    assert measured.sha512 == hashlib.sha512(data).hexdigest()
