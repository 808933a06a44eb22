"""What the mover's tests share: a record for given bytes, a clock by hand, and a server of those bytes."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.raw_server import Asked, Handler, Wire

from pawld.model import Chunks, Platform, Record

CHUNK = 64 * 1024


def record_of(data: bytes, *, chunk: int | None = None) -> Record:
    """Return the record that states *data*, with digests for each *chunk* bytes where it is given."""
    return Record(
        product="acme",
        channel="stable",
        platform=Platform("linux", "x86_64"),
        version="1.0.0",
        sequence=1,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        filename="acme.bin",
        format="file",
        chunks=_chunks(data, chunk) if chunk else None,
    )


def _chunks(data: bytes, size: int) -> Chunks:
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return Chunks(size, tuple(hashlib.sha256(part).hexdigest() for part in parts))


def proof_of(record: Record):  # noqa: ANN201 - a closure that is a ports.ChunkProof
    """Return the proof that the trust engine would give."""
    assert record.chunks is not None
    digests = record.chunks.sha256
    return lambda index, view: hashlib.sha256(view).hexdigest() == digests[index]


def serving(data: bytes, etag: str | None = '"one"') -> Handler:
    """Return a handler that serves *data* as a good server does, ranges included."""

    def handler(asked: Asked, wire: Wire) -> None:
        headers = {"ETag": etag} if etag else {}
        start = asked.range_start
        if start is None or asked.headers.get("if-range", etag) != etag:
            wire.answer(200, headers, data)
        elif start >= len(data):
            wire.answer(416, {**headers, "Content-Range": f"bytes */{len(data)}"})
        else:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            wire.answer(206, headers, data[start:])

    return handler


def cut_after(data: bytes, count: int, etag: str | None = '"one"') -> Handler:
    """Return a handler that announces all of *data*, sends *count* bytes of what is asked, and hangs up."""

    def handler(asked: Asked, wire: Wire) -> None:
        start = asked.range_start or 0
        status = "206 Partial Content" if start else "200 OK"
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data) - start}"]
        lines += [f"ETag: {etag}"] if etag else []
        lines += [f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}"] if start else []
        wire.send("\r\n".join([*lines, "", ""]).encode() + data[start : start + count])
        wire.hang_up()

    return handler


class HandClock:
    """A clock that only sleeping and the test move."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration.total_seconds())
        self.seconds += duration.total_seconds()


class Told:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.starts: list[tuple[str, int, int]] = []
        self.count = 0
        self.finished = 0

    def start(self, step: str, total: int, done: int = 0) -> None:
        self.starts.append((step, total, done))

    def advance(self, count: int) -> None:
        self.count += count

    def finish(self) -> None:
        self.finished += 1


def partial_in(directory: Path, record: Record) -> Path:
    return directory / ".pawld" / f"{record.sha256}.unverified"
