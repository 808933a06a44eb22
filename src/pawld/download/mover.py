"""The byte mover: brings a build's bytes to this host, and proves nothing about them.

Redirects, TLS and addresses are ``system.http``'s; here is what comes after: ranges, the signed length as a cap,
resuming, pace, and the way from one location to the next. Chunks that are proven as they come are in ``chunked``.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from pawld.download.beside import Beside
from pawld.download.chunked import ChunkedTransfer
from pawld.download.disk import RESERVE, disk_errors, free_bytes, preflight
from pawld.download.mirrors import Mirrors
from pawld.download.pace import Pace
from pawld.download.partial import Partial, strong_etag
from pawld.download.replies import ExpiredRedirectError, RangeUnusableError, measured, starts_at, too_long
from pawld.download.routes import Routes, Then
from pawld.download.ways import Through, Ways, name_of, place_of
from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Location, Record
from pawld.ports import ChunkProof, Clock, Downloaded, Ended, Progress
from pawld.reasons import Reason
from pawld.system.drip import SLOWEST, WINDOW
from pawld.system.http import Answer, Body, Web, shown

DEADLINE = timedelta(hours=12)  # for one build, all locations together
_BLOCK = 256 * 1024  # bytes that are read at once
CHECKPOINT = timedelta(seconds=30)  # a power cut costs no more of a download than this


class HttpMover:
    """Implements ``ports.Mover`` over HTTP.

    Args:
        mirrors: base URLs that are asked first, by content address.
        rests: the file that remembers which mirrors rest; None remembers it for this process alone.
        limit: bytes a second at most; None is no limit.
        slowest: bytes a second that must come at least, over each *window*.
        reserve: bytes that stay free on the disk.
        through: opens the client of a mirror that is a forward proxy.
    """

    def __init__(
        self,
        web: Web,
        clock: Clock,
        *,
        mirrors: Sequence[str] = (),
        rests: Path | None = None,
        limit: int | None = None,
        deadline: timedelta = DEADLINE,
        slowest: int = SLOWEST,
        window: timedelta = WINDOW,
        reserve: int = RESERVE,
        through: Through | None = None,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._ways = Ways(web, through)
        self._clock = clock
        self._mirrors = Mirrors(mirrors, clock, memory=rests)
        self._limit = limit
        self._deadline = deadline
        self._slowest = slowest
        self._window = window
        self._reserve = reserve
        self._free = free

    def fetch(self, record: Record, locations: Sequence[Location], partial: Path, progress: Progress) -> Downloaded:
        """Bring the whole build into *partial*, going on where an earlier try ended; the file stays open.

        A fault of one location leads to the next; the error names them all. What came stays for the next try, except
        where a server sent more than the signed length.
        """
        with Partial(partial) as file:
            self._preflight(record, file)
            routes = Routes(self._mirrors.before(record.sha256, locations), self._mirrors)
            until = self._clock.monotonic() + self._deadline.total_seconds()
            if file.size == record.length and record.length_signed and file.note is not None:
                return Downloaded(file.hand_on(), file.path, file.note.origin)
            for location in routes:
                before = file.size
                try:
                    origin = self._transfer(record, location, file, progress, until)
                except PawldError as fault:
                    routes.failed(location, fault, _then(fault, file, before))
                else:
                    return Downloaded(file.hand_on(), file.path, origin)
            raise routes.verdict()

    def chunks(
        self, record: Record, locations: Sequence[Location], partial: Path, progress: Progress, proof: ChunkProof
    ) -> Iterator[memoryview]:
        """Yield the build's chunks in order, each accepted by *proof*; a view is valid until the next is asked for.

        *proof* is called from another thread, one chunk at a time and in order. A chunk that it does not accept is
        fetched once more, from the next location; then ``RejectedError`` (digest_mismatch). Good chunks are kept in
        *partial*. ``ValueError`` where the record lists no chunks.
        """
        with Partial(partial) as file:
            self._preflight(record, file)
            transfer = ChunkedTransfer(
                ways=self._ways,
                clock=self._clock,
                record=record,
                routes=Routes(self._mirrors.before(record.sha256, locations), self._mirrors),
                file=file,
                progress=progress,
                proof=proof,
                pace=self._pace(),
                deadline=self._deadline,
            )
            with closing(transfer.ahead()) as views:
                yield from views

    def beside(self, sha256: str, places: Sequence[Location], limit: int, accept: Callable[[bytes], None]) -> Ended:
        """Bring a file of at most *limit* bytes from *places*, in a thread that calls *accept* with it.

        Mirrors are asked first, and do not rest for lacking it. What it returns ends the thread; nobody waits for it.
        Under a rate limit nothing is brought: the line is the build's then.
        """
        if self._limit or not places:
            return lambda: None
        asked = self._mirrors.before(sha256, places)
        return Beside(self._ways, asked, limit, accept, self._clock.now).end

    def _transfer(self, record: Record, location: Location, file: Partial, progress: Progress, until: float) -> str:
        """Fetch what is missing from one location; return the origin that sent it."""
        asked = _resumable(location, file, record)
        headers = {"Range": f"bytes={asked}-", "If-Range": file.note.etag} if asked and file.note else {}
        left = timedelta(seconds=max(0.001, until - self._clock.monotonic()))
        with self._ways.get(location, headers=headers, deadline=left) as answer:
            record = measured(answer, record)
            start = starts_at(answer, asked, record, self._clock.now())
            _begin(file, start, answer, location)
            progress.start("download", record.length, start)
            self._receive(answer, record, file, progress)
        progress.finish()
        if location.mirror:
            _check_mirror(record, file, location)
        return answer.origin

    def _receive(self, answer: Answer, record: Record, file: Partial, progress: Progress) -> None:
        pace, clock, length = self._pace(), self._clock, record.length
        due = clock.monotonic() + CHECKPOINT.total_seconds()
        body, block = Body(answer), memoryview(bytearray(_BLOCK))
        try:
            with disk_errors(file.path):
                while count := body.read_into(block):
                    if file.size + count > length:
                        file.discard()
                        raise too_long(answer.url, record)
                    file.append(block[:count])
                    progress.advance(count)
                    pace.passed(count)
                    if clock.monotonic() >= due:
                        file.checkpoint()
                        due = clock.monotonic() + CHECKPOINT.total_seconds()
        except TransientError:
            file.checkpoint()
            raise
        if file.size < length:
            file.checkpoint()
            raise TransientError(Reason.TRANSFER_CUT, f"{shown(answer.url)} ended after {file.size} of {length} bytes.")

    def _preflight(self, record: Record, file: Partial) -> None:
        if file.size > record.length:
            file.discard()
        if file.size < record.length and record.length_signed:
            preflight(file.path, record.length - file.size, reserve=self._reserve, free=self._free)

    def _pace(self) -> Pace:
        return Pace(self._clock, self._limit, slowest=self._slowest, window=self._window)


def _resumable(location: Location, file: Partial, record: Record) -> int:
    """Return where to go on: only from the very place that the bytes came from, and by a strong ETag."""
    if file.note is None or file.note.place != place_of(location) or file.size >= record.length:
        return 0
    return file.size


def _begin(file: Partial, start: int, answer: Answer, location: Location) -> None:
    """Cut first, note after: a note must never speak for bytes of another transfer."""
    etag = strong_etag(answer.headers.get("etag"))
    if start and file.note and etag and etag != file.note.etag:
        file.forget()
        raise RangeUnusableError(
            Reason.ANSWER_NOT_UNDERSTOOD, f"{shown(answer.url)} goes on with another file than it began."
        )
    if start == 0:
        file.discard()
        file.remember(etag, place_of(location), answer.origin)


def _then(fault: PawldError, file: Partial, before: int) -> Then:
    """Ask the same place again where it may go on: cut midway, not able to resume, or with an expired redirect."""
    if isinstance(fault, RangeUnusableError):
        file.forget()
        return Then.ONCE_MORE
    if isinstance(fault, ExpiredRedirectError):
        return Then.ONCE_MORE
    if fault.reason is Reason.TRANSFER_CUT and file.note is not None and file.size > before:
        return Then.AGAIN
    return Then.NEVER


def _check_mirror(record: Record, file: Partial, location: Location) -> None:
    """A mirror's fault must not become the build's: its bytes are hashed here, and the sources are asked instead."""
    file.file.seek(0)
    found = hashlib.file_digest(file.file, "sha256").hexdigest()
    if found != record.sha256:
        file.discard()
        raise RejectedError(
            Reason.DIGEST_MISMATCH,
            f"The mirror {name_of(location)} sent other bytes than the build's (sha256 {found}).",
        )
