"""A small file beside a build: from the first place that has it, and without any place or update suffering for it."""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, partial_in, record_of, serving
from support.raw_server import Asked, RawServer, Wire, raw_server

from pawld.download import beside
from pawld.download.mover import HttpMover
from pawld.errors import RejectedError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web

DATA = b"a list of files\n" * 100
SHA256 = hashlib.sha256(DATA).hexdigest()
BUILD = b"a build"


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=5)) as client:
        yield client


class Taken:
    """Takes what is DATA, and notes what else it was offered."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.refused: list[bytes] = []

    def __call__(self, data: bytes) -> None:
        if data != DATA:
            self.refused.append(data)
            raise RejectedError(Reason.DIGEST_MISMATCH, "It is not what was asked for.")
        self.came.set()


def ended(before: int) -> bool:
    """Wait until no thread of ours is left."""
    until = time.monotonic() + 60
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.005)
    return threading.active_count() <= before


def lacking(_asked: Asked, wire: Wire) -> None:
    wire.answer(404)


def brought(mover: HttpMover, *servers: RawServer, limit: int = 10_000) -> Taken:
    """Send for it at each of the servers, until one has it or none is left."""
    taken, names = Taken(), {one.name for one in threading.enumerate()}
    end = mover.beside(SHA256, [Location(one.url) for one in servers], limit, taken)
    for thread in threading.enumerate():
        if thread.name == "pawld-beside" and thread.name not in names:
            thread.join(60)
    end()
    return taken


def test_it_comes_from_the_first_place_that_has_it(web: Web) -> None:
    with raw_server(lacking) as empty, raw_server(serving(b"other")) as wrong, raw_server(serving(DATA)) as right:
        taken = brought(HttpMover(web, HandClock()), empty, wrong, right)
    assert taken.came.is_set()
    assert taken.refused == [b"other"]
    assert len(empty.asked) == 1


def test_a_place_with_other_bytes_is_told_and_one_without_is_not(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with raw_server(lacking) as empty, raw_server(serving(b"other")) as wrong:
        taken = brought(HttpMover(web, HandClock()), empty, wrong)
    assert not taken.came.is_set()
    assert [one.getMessage() for one in caplog.records] == [
        f"Nothing is taken from {wrong.url}: It is not what was asked for."
    ]


def test_a_mirror_is_asked_first_and_does_not_rest_for_lacking_it(web: Web, tmp_path: Path) -> None:
    record = record_of(BUILD)

    def build_alone(asked: Asked, wire: Wire) -> None:
        wire.answer(200 if asked.target.endswith(record.sha256) else 404, body=BUILD)

    with raw_server(build_alone) as mirror, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, HandClock(), mirrors=[mirror.url], reserve=0)
        assert brought(mover, source).came.is_set()
        mover.fetch(record, [Location(source.url)], partial_in(tmp_path, record), Told()).file.close()
        assert mirror.targets == [f"/sha256/{SHA256}", f"/sha256/{record.sha256}"]
        assert len(source.asked) == 1


def test_what_is_too_long_is_not_taken(web: Web) -> None:
    with raw_server(serving(DATA)) as server:
        taken = brought(HttpMover(web, HandClock()), server, limit=len(DATA) - 1)
    assert not taken.came.is_set()
    assert taken.refused == []


def test_a_rate_limit_is_the_builds_alone(web: Web) -> None:
    with raw_server(serving(DATA)) as server:
        taken = brought(HttpMover(web, HandClock(), limit=1000), server)
        assert not taken.came.is_set()
        assert server.asked == []


def test_nobody_waits_for_a_body_that_drips(web: Web) -> None:
    begun, before = threading.Event(), threading.active_count()

    def dripping(_asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        begun.set()
        wire.drip(0.01)

    with raw_server(dripping) as server, raw_server(serving(DATA)) as next_one:
        end = HttpMover(web, HandClock()).beside(SHA256, [Location(server.url), Location(next_one.url)], 5000, Taken())
        assert begun.wait(60)
        time.sleep(0.05)
        start = time.monotonic()
        end()
        assert time.monotonic() - start < beside.DEADLINE.total_seconds() / 3
        assert next_one.asked == []
    assert ended(before)


def test_nobody_waits_long_for_a_head_that_does_not_come(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "DEADLINE", timedelta(seconds=0.5))
    monkeypatch.setattr(beside, "_PARTING", 0.01)
    before, begun = threading.active_count(), threading.Event()

    def silent(_asked: Asked, wire: Wire) -> None:
        begun.set()
        wire.wait_for_the_end()

    with raw_server(silent) as server:
        end = HttpMover(web, HandClock()).beside(SHA256, [Location(server.url)], 5000, Taken())
        assert begun.wait(60)
        end()
    assert ended(before)
