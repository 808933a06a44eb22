"""A download whose every chunk is proven before anybody sees it.

One thread reads the network, proves each chunk, appends it to the partial file and hands it on; the caller parses the
chunk before meanwhile. Since each chunk is proven by itself, it does not matter which location it came from.
"""

from collections.abc import Generator
from datetime import timedelta

from pawld.download.ahead import Ring
from pawld.download.disk import disk_errors
from pawld.download.pace import Pace
from pawld.download.partial import Partial
from pawld.download.replies import ExpiredRedirectError, RangeUnusableError, starts_at, too_long
from pawld.download.routes import Routes, Then
from pawld.download.ways import Ways
from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Chunks, Location, Record
from pawld.ports import ChunkProof, Clock, Progress
from pawld.reasons import Reason
from pawld.system.http import Answer, Body, shown


class WrongChunkError(RejectedError):
    """A location sent a chunk that the record does not list."""


class ChunkedTransfer:
    """One download by chunks. ``ahead`` may be called once."""

    def __init__(
        self,
        *,
        ways: Ways,
        clock: Clock,
        record: Record,
        routes: Routes,
        file: Partial,
        progress: Progress,
        proof: ChunkProof,
        pace: Pace,
        deadline: timedelta,
    ) -> None:
        self._chunks = _chunks_of(record)
        self._ways = ways
        self._clock = clock
        self._record = record
        self._routes = routes
        self._file = file
        self._progress = progress
        self._proof = proof
        self._pace = pace
        self._until = clock.monotonic() + deadline.total_seconds()
        self._ring = Ring(min(self._chunks.size, record.length))
        self._buffer: memoryview | None = None
        self._index = 0
        self._wrong: set[int] = set()
        self._answer: Answer | None = None
        self._sender = ""
        self._plain = False  # ask without a range: the last location did not serve the one that was asked for

    def ahead(self) -> Generator[memoryview]:
        """Yield the chunks in order, read ahead by a thread that ends with this generator."""
        return self._ring.run(self._produce, self._interrupt)

    def _produce(self) -> None:
        self._kept()
        self._progress.start("download", self._record.length, self._offset)
        if self._offset < self._record.length:
            self._missing()
        self._progress.finish()

    def _interrupt(self) -> None:
        answer = self._answer
        if answer is not None:
            answer.abort()

    def _kept(self) -> None:
        """Prove what an earlier try left on the disk again; from the first chunk that is not good, it is cut off."""
        while self._offset < self._record.length:
            view = self._to_fill()
            if not (self._file.read_into(view, self._offset) and self._proof(self._index, view)):
                break
            self._hand_on()
        self._file.cut(self._offset)

    def _missing(self) -> None:
        for location in self._routes:
            self._ring.check()
            before = self._index
            try:
                self._transfer(location)
            except PawldError as fault:
                self._ring.check()
                self._routes.failed(location, fault, self._then(fault, before, location))
            else:
                return
        raise self._routes.verdict()

    def _then(self, fault: PawldError, before: int, location: Location) -> Then:
        if isinstance(fault, WrongChunkError):
            if location.mirror:  # however many mirrors lie, it is no fault of the build's
                return Then.NEVER
            if self._index in self._wrong:
                raise fault
            self._wrong.add(self._index)
            return Then.LATER
        if isinstance(fault, RangeUnusableError):
            self._plain = True
            return Then.ONCE_MORE
        if isinstance(fault, ExpiredRedirectError):
            return Then.ONCE_MORE
        return Then.AGAIN if fault.reason is Reason.TRANSFER_CUT and self._index > before else Then.NEVER

    def _transfer(self, location: Location) -> None:
        """Go on from the last good chunk; without If-Range, since each chunk proves itself."""
        asked, self._plain = 0 if self._plain else self._offset, False
        headers = {"Range": f"bytes={asked}-"} if asked else {}
        left = timedelta(seconds=max(0.001, self._until - self._clock.monotonic()))
        with self._ways.get(location, headers=headers, deadline=left) as answer:
            skip = self._offset - starts_at(answer, asked, self._record, self._clock.now())
            self._answer = answer
            self._sender = f"{location.via}, asked for {answer.origin}," if location.via else answer.origin
            try:
                self._ring.check()
                self._receive(answer, skip)
            finally:
                self._answer = None
        if self._offset < self._record.length:
            raise TransientError(
                Reason.TRANSFER_CUT, f"{shown(answer.url)} ended after {self._offset} of {self._record.length} bytes."
            )

    def _receive(self, answer: Answer, skip: int) -> None:
        """Cut what comes into chunks; the first *skip* bytes are here already."""
        body, filled = Body(answer), 0
        while skip and (count := body.read_into(self._to_fill()[:skip])):
            skip -= count
            self._pace.passed(count)
        while self._offset < self._record.length:
            view = self._to_fill()
            count = body.read_into(view[filled:])
            if not count:
                return
            filled += count
            self._pace.passed(count)
            if filled == len(view):
                self._accept(view)
                filled = 0
        if body.read_into(memoryview(bytearray(1))):
            raise too_long(answer.url, self._record)

    def _accept(self, view: memoryview) -> None:
        if not self._proof(self._index, view):
            raise WrongChunkError(
                Reason.DIGEST_MISMATCH,
                f"{self._sender} sent other bytes for chunk {self._index} of the build than the signed record lists.",
            )
        with disk_errors(self._file.path):
            self._file.append(view)
        self._progress.advance(len(view))
        self._hand_on()

    @property
    def _offset(self) -> int:
        """Where the next chunk begins; behind the last one, the length."""
        return min(self._index * self._chunks.size, self._record.length)

    def _to_fill(self) -> memoryview:
        """The next chunk's place in a free buffer; the same one until it is handed on."""
        if self._buffer is None:
            self._buffer = self._ring.free()
        return self._buffer[: min(self._chunks.size, self._record.length - self._offset)]

    def _hand_on(self) -> None:
        buffer, view, self._buffer = self._buffer, self._to_fill(), None
        if buffer is not None:
            self._ring.ready(buffer, len(view))
        self._index += 1


def _chunks_of(record: Record) -> Chunks:
    if record.chunks is None:
        raise ValueError("this record lists no chunks")
    return record.chunks
