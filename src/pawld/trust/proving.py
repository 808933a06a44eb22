"""Proof of bytes: length first, then SHA-256, in constant memory, from a descriptor that stays open.

Nothing here decides what the bytes must be, and nothing here makes a ``Verified``.
"""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import BinaryIO, Self

from pawld.errors import RejectedError
from pawld.model import Chunks, Record
from pawld.ports import ChunkProof
from pawld.reasons import Reason


def prove_file(record: Record, file: BinaryIO, origin: str) -> None:
    """Raise ``RejectedError`` (length_mismatch, digest_mismatch) unless *file* is the build; leave it at its start."""
    check_length(record, os.fstat(file.fileno()).st_size, origin)
    file.seek(0)
    check_digest(record, hashlib.file_digest(file, "sha256").hexdigest(), origin)  # type: ignore[arg-type]  # readable
    file.seek(0)


def check_length(record: Record, actual: int, origin: str) -> None:
    """Hold the length against the signed one; where none was signed, against the cap."""
    if actual == record.length or (not record.length_signed and 0 < actual < record.length):
        return
    expected = f"exactly {record.length}" if record.length_signed else f"1 to {record.length}"
    raise RejectedError(
        Reason.LENGTH_MISMATCH,
        f"{record.filename} from {origin} has {actual} bytes where the record demands {expected}.",
    )


def check_digest(record: Record, actual: str, origin: str) -> None:
    """Hold the digest against the record's."""
    if actual != record.sha256:
        raise RejectedError(
            Reason.DIGEST_MISMATCH,
            f"{record.filename} from {origin} has sha256 {actual} where the record demands {record.sha256}.",
        )


def chunk_proof(chunks: Chunks, length: int) -> ChunkProof:
    """Return the test for one chunk: its length by its place, and its digest."""

    def holds(number: int, chunk: memoryview) -> bool:
        if not 0 <= number < len(chunks.sha256):
            return False
        expected = min(chunks.size, length - number * chunks.size)
        return len(chunk) == expected and hashlib.sha256(chunk).hexdigest() == chunks.sha256[number]

    return holds


class ProvenStream(io.RawIOBase):
    """Chunks, each proven already, as one stream; the digest of the whole is taken as they pass.

    The mover reuses a chunk's memory as soon as it is asked for the next. So the digest, which runs in a thread of its
    own while the reader works on the chunk, is waited for before that.
    """

    def __init__(self, open_chunks: Callable[[], Iterator[memoryview]]) -> None:
        self._chunks = open_chunks()
        self._chunk = memoryview(b"")
        self._digest = hashlib.sha256()
        self._passing: SimpleQueue[memoryview | None] = SimpleQueue()
        self._passed: SimpleQueue[None] = SimpleQueue()
        self._pending = False
        self._worker = Thread(target=self._take_digest, name="pawld-sha256", daemon=True)
        self._worker.start()
        self.length = 0
        self.complete = False

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return at most *size* bytes, and at the end none: whoever reads anew anyway needs no buffer between."""
        return self.readall() if size < 0 else bytes(self.lend(size))

    def lend(self, size: int, /) -> memoryview:
        """Return at most *size* bytes where they lie, which is where they were proven; valid until the next read."""
        if not self._chunk:
            self._advance()
        view = self._chunk[:size]
        self._chunk = self._chunk[size:]
        return view

    def drain(self) -> None:
        """Take what the reader left: padding after an archive's end belongs to the build as well."""
        while self._advance():
            pass

    def hexdigest(self) -> str:
        """Return the digest of what has passed."""
        self._settle()
        return self._digest.hexdigest()

    def end(self) -> None:
        """End the transfer, whole or not. ``close`` does not: a reader may close what it was lent."""
        self._settle()
        self._chunk = memoryview(b"")
        close = getattr(self._chunks, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._passing.put(None)
            self._worker.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _advance(self) -> bool:
        self._settle()
        self._chunk = memoryview(b"")
        chunk = next(self._chunks, None)
        if chunk is None:
            self.complete = True
            return False
        self._chunk = chunk
        self.length += len(chunk)
        self._passing.put(chunk)
        self._pending = True
        return True

    def _settle(self) -> None:
        """Wait until the digest of the last chunk is taken, if it is not."""
        if self._pending:
            self._passed.get()
            self._pending = False

    def _take_digest(self) -> None:
        while (chunk := self._passing.get()) is not None:
            self._digest.update(chunk)
            del chunk
            self._passed.put(None)
