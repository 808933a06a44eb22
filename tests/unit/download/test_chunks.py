"""Chunks that are proven as they come: what is yielded, what is kept, and how the reading thread ends."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import CHUNK, HandClock, Told, cut_after, partial_in, proof_of, record_of, serving
from support.raw_server import Asked, Wire, raw_server

from pawld.download.mover import HttpMover
from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web

DATA = os.urandom(10 * CHUNK + 777)
RECORD = record_of(DATA, chunk=CHUNK)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=5)) as client:
        yield client


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    assert [one.name for one in threading.enumerate() if one.name == "pawld-download"] == []


@pytest.fixture
def mover(web: Web) -> HttpMover:
    return HttpMover(web, HandClock(), reserve=0)


def streamed(mover: HttpMover, directory: Path, *urls: str) -> bytes:
    path = partial_in(directory, RECORD)
    views = mover.chunks(RECORD, [Location(url) for url in urls], path, Told(), proof_of(RECORD))
    return b"".join(bytes(view) for view in views)


def refused(mover: HttpMover, directory: Path, *urls: str) -> PawldError:
    with pytest.raises(PawldError) as caught:
        streamed(mover, directory, *urls)
    return caught.value


def left(directory: Path) -> bytes:
    return partial_in(directory, RECORD).read_bytes()


def with_a_wrong_chunk(index: int) -> bytes:
    return DATA[: index * CHUNK] + b"x" * CHUNK + DATA[(index + 1) * CHUNK :]


def test_the_chunks_come_in_order_and_are_kept(mover: HttpMover, tmp_path: Path) -> None:
    told = Told()
    with raw_server(serving(DATA)) as server:
        views = mover.chunks(RECORD, [Location(server.url)], partial_in(tmp_path, RECORD), told, proof_of(RECORD))
        sizes = [len(view) for view in views]
    assert sizes == [CHUNK] * 10 + [777]
    assert left(tmp_path) == DATA
    assert (told.starts, told.count, told.finished) == ([("download", len(DATA), 0)], len(DATA), 1)


def test_a_cut_stream_goes_on_at_the_last_good_chunk(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(cut_after(DATA, 4 * CHUNK + 100)) as server:
        assert streamed(mover, tmp_path, server.url) == DATA
        assert [one.range_start for one in server.asked] == [None, 4 * CHUNK, 8 * CHUNK]
        assert "if-range" not in server.asked[1].headers


def test_what_an_earlier_try_kept_is_proven_again_and_not_fetched(mover: HttpMover, tmp_path: Path) -> None:
    path = partial_in(tmp_path, RECORD)
    path.parent.mkdir()
    path.write_bytes(DATA[: 3 * CHUNK] + b"bad" * CHUNK)
    with raw_server(serving(DATA)) as server:
        assert streamed(mover, tmp_path, server.url) == DATA
        assert server.asked[0].range_start == 3 * CHUNK
    assert left(tmp_path) == DATA


def test_a_build_that_is_there_whole_needs_no_network(mover: HttpMover, tmp_path: Path) -> None:
    path = partial_in(tmp_path, RECORD)
    path.parent.mkdir()
    path.write_bytes(DATA)
    assert streamed(mover, tmp_path) == DATA


def test_a_server_without_ranges_sends_what_is_here_again_and_it_is_skipped(mover: HttpMover, tmp_path: Path) -> None:
    path = partial_in(tmp_path, RECORD)
    path.parent.mkdir()
    path.write_bytes(DATA[: 3 * CHUNK])
    with raw_server(lambda _, wire: wire.answer(200, {}, DATA)) as server:
        assert streamed(mover, tmp_path, server.url) == DATA
        assert len(server.asked) == 1


def test_a_range_that_lies_is_asked_for_without_range(mover: HttpMover, tmp_path: Path) -> None:
    path = partial_in(tmp_path, RECORD)
    path.parent.mkdir()
    path.write_bytes(DATA[: 3 * CHUNK])

    def handler(asked: Asked, wire: Wire) -> None:
        headers = {"Content-Range": f"bytes 0-{len(DATA) - 1}/{len(DATA)}"}
        wire.answer(206, headers, DATA) if asked.range_start else wire.answer(200, {}, DATA)

    with raw_server(handler) as server:
        assert streamed(mover, tmp_path, server.url) == DATA
        assert [one.range_start for one in server.asked] == [3 * CHUNK, None]


def test_a_wrong_chunk_comes_from_the_next_location(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(with_a_wrong_chunk(5))) as bad, raw_server(serving(DATA)) as good:
        assert streamed(mover, tmp_path, bad.url, good.url) == DATA
        assert [one.range_start for one in good.asked] == [5 * CHUNK]


def test_a_wrong_chunk_of_the_only_location_is_asked_for_once_more(mover: HttpMover, tmp_path: Path) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        serving(DATA if asked.range_start else with_a_wrong_chunk(5))(asked, wire)

    with raw_server(handler) as server:
        assert streamed(mover, tmp_path, server.url) == DATA


def test_a_chunk_that_is_wrong_twice_is_refused_and_never_seen(mover: HttpMover, tmp_path: Path) -> None:
    seen = []
    with raw_server(serving(with_a_wrong_chunk(5))) as one, raw_server(serving(with_a_wrong_chunk(5))) as two:
        with pytest.raises(RejectedError) as caught:
            seen.extend(
                bytes(view)
                for view in mover.chunks(
                    RECORD,
                    [Location(one.url), Location(two.url)],
                    partial_in(tmp_path, RECORD),
                    Told(),
                    proof_of(RECORD),
                )
            )
        assert caught.value.reason is Reason.DIGEST_MISMATCH
        assert two.url in caught.value.message
        assert "chunk 5" in caught.value.message
    assert left(tmp_path) == DATA[: 5 * CHUNK]


def test_a_stream_beyond_the_length_is_refused(mover: HttpMover, tmp_path: Path) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.send(f"{len(DATA):x}\r\n".encode() + DATA + b"\r\n1\r\nx\r\n0\r\n\r\n")

    with raw_server(handler) as server:
        assert refused(mover, tmp_path, server.url).reason is Reason.LENGTH_MISMATCH


def test_where_every_location_fails_what_came_is_kept(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(cut_after(DATA, CHUNK + 1)) as server:
        error = refused(mover, tmp_path, server.url)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.TRANSFER_CUT
    assert left(tmp_path) == DATA[: 3 * CHUNK]


def test_an_expired_redirect_goes_back_to_the_interface(mover: HttpMover, tmp_path: Path) -> None:
    def cdn_handler(asked: Asked, wire: Wire) -> None:
        wire.answer(410) if len(cdn.asked) == 1 else serving(DATA)(asked, wire)

    with raw_server(cdn_handler) as cdn, raw_server(lambda _, wire: wire.redirect(cdn.url)) as api:
        assert streamed(mover, tmp_path, api.url) == DATA
        assert len(api.asked) == 2


def test_a_consumer_that_leaves_ends_the_reading_at_once(mover: HttpMover, tmp_path: Path) -> None:
    def slow(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(DATA)).encode() + b"\r\n\r\n" + DATA[: CHUNK + 9])
        time.sleep(1)

    with raw_server(slow) as server:
        path = partial_in(tmp_path, RECORD)
        with closing(mover.chunks(RECORD, [Location(server.url)], path, Told(), proof_of(RECORD))) as views:
            assert bytes(next(views)) == DATA[:CHUNK]
            begun = time.monotonic()
        assert time.monotonic() - begun < 0.5
        assert len(server.asked) == 1


def test_a_consumer_that_fails_while_the_ring_is_full_ends_the_reading(mover: HttpMover, tmp_path: Path) -> None:
    path = partial_in(tmp_path, RECORD)
    with raw_server(serving(DATA)) as server:
        views = mover.chunks(RECORD, [Location(server.url)], path, Told(), proof_of(RECORD))
        next(views)
        time.sleep(0.1)
        with pytest.raises(ZeroDivisionError):
            views.throw(ZeroDivisionError())
    assert left(tmp_path)[:CHUNK] == DATA[:CHUNK]


def test_a_proof_that_fails_in_its_own_way_reaches_the_consumer(mover: HttpMover, tmp_path: Path) -> None:
    def broken(index: int, view: memoryview) -> bool:
        raise KeyError(index)

    with raw_server(serving(DATA)) as server, pytest.raises(KeyError):
        list(mover.chunks(RECORD, [Location(server.url)], partial_in(tmp_path, RECORD), Told(), broken))


def test_a_record_without_chunks_cannot_be_streamed(mover: HttpMover, tmp_path: Path) -> None:
    record = record_of(DATA)
    with pytest.raises(ValueError, match="no chunks"):
        next(iter(mover.chunks(record, [], partial_in(tmp_path, record), Told(), lambda _i, _v: True)))


def test_a_view_stays_good_until_the_next_is_asked_for(mover: HttpMover, tmp_path: Path) -> None:
    proof = proof_of(RECORD)
    with raw_server(serving(DATA)) as server:
        for index, view in enumerate(
            mover.chunks(RECORD, [Location(server.url)], partial_in(tmp_path, RECORD), Told(), proof)
        ):
            time.sleep(0.005)
            assert proof(index, view)
