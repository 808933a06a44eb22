"""Servers that lie, flood, drip and never end: each is refused with its reason, in bounded time and memory."""

import gzip
import os
import time
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import Told, partial_in, record_of, serving
from support.raw_server import Asked, Handler, Wire, raw_server

from pawld.download.mover import HttpMover
from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.clock import SystemClock
from pawld.system.http import Web

DATA = os.urandom(200_000)
RECORD = record_of(DATA)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=0.5)) as client:
        yield client


def refused(web: Web, directory: Path, handler: Handler, **limits: object) -> PawldError:
    mover = HttpMover(web, SystemClock(), reserve=0, **limits)  # type: ignore[arg-type]  # each test gives its own
    with raw_server(handler) as server, pytest.raises(PawldError) as caught:
        mover.fetch(RECORD, [Location(f"{server.url}/build?sig=s3cret")], partial_in(directory, RECORD), Told())
    assert "s3cret" not in caught.value.message
    return caught.value


def left(directory: Path) -> bytes:
    path = partial_in(directory, RECORD)
    return path.read_bytes() if path.exists() else b""


def saying(data: bytes) -> Handler:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.send(data)
        wire.hang_up()

    return handler


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "gzip, identity", "x" * 100])
def test_an_encoded_body_is_refused_and_never_decoded(web: Web, tmp_path: Path, encoding: str) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    padded = bomb + b"\0" * (len(DATA) - len(bomb))
    error = refused(web, tmp_path, lambda _, wire: wire.answer(200, {"Content-Encoding": encoding}, padded))
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.ENCODING_REFUSED
    assert left(tmp_path) == b""


def test_a_flood_of_headers_ends_in_bounded_memory(web: Web, tmp_path: Path) -> None:
    def flood(asked: Asked, wire: Wire) -> None:
        wire.send(HEAD)
        wire.drip(0, b"".join(b"X-%d: %s\r\n" % (one, b"y" * 100) for one in range(1000)))

    tracemalloc.start()
    try:
        assert refused(web, tmp_path, flood).reason is Reason.ANSWER_NOT_UNDERSTOOD
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 200000\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 9e9\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Bad Header\r\n\r\n",
        HEAD + b"X: \x00\r\n\r\n",
        b"HTTP/1.1 200000 OK\r\n\r\n",
        b"HTTP/9 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500 + b"\r\n\r\n",
    ],
    ids=["long", "two-lengths", "negative", "float", "gzip-te", "no-colon", "nul", "status", "version", "tls"],
)
def test_a_malformed_head_fails_cleanly(web: Web, tmp_path: Path, head: bytes) -> None:
    error = refused(web, tmp_path, saying(head))
    assert isinstance(error, TransientError)
    assert error.reason is Reason.ANSWER_NOT_UNDERSTOOD
    assert left(tmp_path) == b""


def test_endless_interim_answers_end_at_the_deadline(web: Web, tmp_path: Path) -> None:
    def interim(asked: Asked, wire: Wire) -> None:
        wire.drip(0.01, b"HTTP/1.1 103 Early Hints\r\n\r\n")

    begun = time.monotonic()
    error = refused(web, tmp_path, interim, deadline=timedelta(seconds=0.4))
    assert error.reason is Reason.TIMED_OUT
    assert time.monotonic() - begun < 2


def test_a_chunked_body_without_end_stops_at_the_signed_length(web: Web, tmp_path: Path) -> None:
    sent = []

    def endless(asked: Asked, wire: Wire) -> None:
        wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            wire.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            sent.append(65536)

    error = refused(web, tmp_path, endless)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.LENGTH_MISMATCH
    assert left(tmp_path) == b""
    assert sum(sent) < 40_000_000  # what the sockets' buffers hold, at most


def test_a_body_without_length_that_goes_on_stops_there_too(web: Web, tmp_path: Path) -> None:
    error = refused(web, tmp_path, saying(HEAD + b"\r\n" + DATA + b"more"))
    assert error.reason is Reason.LENGTH_MISMATCH


def test_one_byte_at_a_time_stops_at_the_deadline(web: Web, tmp_path: Path) -> None:
    def drip(asked: Asked, wire: Wire) -> None:
        wire.send(HEAD + b'ETag: "one"\r\nContent-Length: 200000\r\n\r\n')
        wire.drip(0.01)

    begun = time.monotonic()
    error = refused(web, tmp_path, drip, deadline=timedelta(seconds=0.4))
    assert error.reason in (Reason.TRANSFER_STALLED, Reason.TIMED_OUT)
    assert time.monotonic() - begun < 2


def test_a_slow_drip_stops_after_a_window_long_before_the_deadline(web: Web, tmp_path: Path) -> None:
    def drip(asked: Asked, wire: Wire) -> None:
        wire.send(HEAD + b'ETag: "one"\r\nContent-Length: 200000\r\n\r\n')
        wire.drip(0.01)

    error = refused(web, tmp_path, drip, slowest=10_000, window=timedelta(seconds=0.2))
    assert isinstance(error, TransientError)
    assert error.reason is Reason.TRANSFER_STALLED
    assert 0 < len(left(tmp_path)) < 100


def test_chunks_of_one_byte_with_long_extensions_stop_too(web: Web, tmp_path: Path) -> None:
    def drip(asked: Asked, wire: Wire) -> None:
        wire.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        wire.drip(0.005, b"1;" + b"e" * 50 + b"\r\nx\r\n")

    error = refused(web, tmp_path, drip, slowest=10_000, window=timedelta(seconds=0.2))
    assert error.reason is Reason.TRANSFER_STALLED


def test_silence_in_the_middle_is_a_stall_and_what_came_is_kept(web: Web, tmp_path: Path) -> None:
    def silent(asked: Asked, wire: Wire) -> None:
        wire.send(HEAD + b'ETag: "one"\r\nContent-Length: 200000\r\n\r\n' + DATA[:1000])
        wire.wait_for_the_end()

    assert refused(web, tmp_path, silent).reason is Reason.TRANSFER_STALLED
    assert left(tmp_path) == DATA[:1000]


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 0-199999/200000",
        "bytes 100-199998/200000",
        "bytes 101-199999/200000",
        "bytes 100-199999/*",
        "bytes 100-199999/999999",
        "bytes=100-199999/200000",
        "items 100-199999/200000",
        "bytes 100-199999/200000, bytes 0-1/2",
        "bytes \xd9\xa1-199999/200000",
        "",
    ],
)
def test_a_range_that_lies_is_not_written_and_the_whole_is_asked_for(
    web: Web, tmp_path: Path, content_range: str
) -> None:
    def liar(asked: Asked, wire: Wire) -> None:
        if asked.range_start is None:
            serving(DATA)(asked, wire)
        else:
            wire.answer(206, {"Content-Range": content_range, "ETag": '"one"'}, b"!" * (len(DATA) - 100))

    with raw_server(liar) as server:
        begun(tmp_path, server.url)
        mover = HttpMover(web, SystemClock(), reserve=0)
        with mover.fetch(RECORD, [Location(server.url)], partial_in(tmp_path, RECORD), Told()).file as file:
            assert file.read() == DATA
        assert [one.range_start for one in server.asked] == [100, None]


def test_a_range_of_another_object_is_not_appended(web: Web, tmp_path: Path) -> None:
    def other(asked: Asked, wire: Wire) -> None:
        asked.headers.pop("if-range", None)
        serving(DATA if asked.range_start is None else b"!" * len(DATA), '"two"')(asked, wire)

    with raw_server(other) as server:
        begun(tmp_path, server.url)
        mover = HttpMover(web, SystemClock(), reserve=0)
        with mover.fetch(RECORD, [Location(server.url)], partial_in(tmp_path, RECORD), Told()).file as file:
            assert file.read() == DATA


def begun(directory: Path, url: str) -> None:
    """Leave 100 bytes behind, as a transfer from *url* that was cut does."""
    head = HEAD + f'ETag: "one"\r\nContent-Length: {len(DATA)}\r\n\r\n'.encode()
    path = partial_in(directory, RECORD)
    with raw_server(saying(head + DATA[:100])) as server, Web() as web:
        with pytest.raises(TransientError):
            HttpMover(web, SystemClock(), reserve=0).fetch(RECORD, [Location(server.url)], path, Told())
        note = path.with_suffix(".resume")
        note.write_text(note.read_text().replace(server.url, url))
    path.write_bytes(DATA[:100])
