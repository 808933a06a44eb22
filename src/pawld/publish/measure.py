"""What a build is: length, digests, and a digest for each chunk."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from pawld.model import Chunks
from pawld.values import dataclass

MiB = 1024 * 1024
BLOCK = MiB  # bytes read at a time
SMALL_CHUNK, LARGE_CHUNK = MiB, 4 * MiB
FEW_CHUNKS = 2048  # as many digests as a record should carry (140 kB): a host holds a few chunks in memory at a time
MOST_CHUNKS = 16_384  # beyond 64 GiB the digests would not fit beside others into 5 MB of metadata


@dataclass(frozen=True, slots=True)
class Measured:
    """Length in bytes, and the digests in lower-case hexadecimal."""

    length: int
    sha256: str
    sha512: str


def copied(blocks: Iterable[bytes], to: BinaryIO) -> Measured:
    """Write the blocks and return what they were."""
    length, sha256, sha512 = 0, hashlib.sha256(), hashlib.sha512()
    for block in blocks:
        to.write(block)
        sha256.update(block)
        sha512.update(block)
        length += len(block)
    return Measured(length, sha256.hexdigest(), sha512.hexdigest())


def blocks_of(path: Path) -> Iterable[bytes]:
    """Yield a file's bytes."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def chunk_size(length: int) -> int:
    """Return 1 to 4 MiB: small, for a fault costs a chunk; larger where the digests would be too many."""
    size = SMALL_CHUNK
    while size < LARGE_CHUNK and length > size * FEW_CHUNKS:
        size *= 2
    return size


def chunks_of(path: Path, length: int) -> Chunks | None:
    """Return the digest of each chunk; None for an empty or an enormous build, which is proven as a whole alone."""
    size = chunk_size(length)
    if not 0 < length <= size * MOST_CHUNKS:
        return None
    with path.open("rb") as file:
        digests = tuple(hashlib.sha256(chunk).hexdigest() for chunk in iter(lambda: file.read(size), b""))
    return Chunks(size, digests)
