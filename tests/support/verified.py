"""A proven build for tests of what comes after the proof; the real one is made by ``trust.policy`` alone."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from pawld.errors import RejectedError
from pawld.model import Platform, Record, Unpacked
from pawld.ports import Verified
from pawld.reasons import Reason

LINUX = Platform("linux", "x86_64")


class ProvenBytes(Verified):
    """Bytes in memory that are what *record* says, unless *forged* has it otherwise."""

    def __init__(self, record: Record, data: bytes, *, forged: bool = False) -> None:
        self.record = record
        self._data = data
        self._forged = forged
        self.confirmed = 0
        self.streamed = 0

    def seekable(self) -> BinaryIO:
        return io.BytesIO(self._data)

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        self.streamed += 1
        with io.BytesIO(self._data) as file:
            yield file

    def confirm(self) -> None:
        self.confirmed += 1
        if self._forged:
            raise RejectedError(Reason.DIGEST_MISMATCH, "The build has another digest than its record states.")


class Quiet:
    """A progress that nobody watches."""

    def start(self, step: str, total: int, done: int = 0) -> None: ...

    def advance(self, count: int) -> None: ...

    def finish(self) -> None: ...


def build(
    data: bytes,
    version: str = "1.0.0",
    *,
    sequence: int = 1,
    form: str = "file",
    entrypoint: str | None = None,
    unpacked: Unpacked | None = None,
    forged: bool = False,
    platform: Platform = LINUX,
) -> ProvenBytes:
    """Return *data* as a proven build of the product ``acme``."""
    record = Record(
        product="acme",
        channel="stable",
        platform=platform,
        version=version,
        sequence=sequence,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        filename="acme" if form == "file" else f"acme-{version}.{form}",
        format=form,
        unpacked=unpacked,
        entrypoint=entrypoint,
    )
    return ProvenBytes(record, data, forged=forged)
