"""Mirrors are tried first, by digest, and rest after a fault."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, partial_in, record_of, serving
from support.raw_server import Asked, Wire, raw_server

from pawld.download.mover import HttpMover
from pawld.errors import RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web

DATA = os.urandom(100_000)
RECORD = record_of(DATA)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=0.3)) as client:
        yield client


def fetched(mover: HttpMover, directory: Path, *locations: Location) -> bytes:
    downloaded = mover.fetch(RECORD, locations, partial_in(directory, RECORD), Told())
    with downloaded.file as file:
        data = file.read()
    downloaded.path.unlink()
    return data


def test_a_mirror_is_asked_first_by_digest(web: Web, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as mirror, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, HandClock(), mirrors=[f"{mirror.url}/blobs/"], reserve=0)
        assert fetched(mover, tmp_path, Location(source.url, {"Authorization": "Bearer s"})) == DATA
        assert mirror.targets == [f"/blobs/sha256/{RECORD.sha256}"]
        assert "authorization" not in mirror.asked[0].headers
        assert source.asked == []


def test_a_bad_mirror_rests_for_an_hour_and_is_named(
    web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HandClock()
    with raw_server(lambda _, wire: wire.answer(404)) as mirror, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, clock, mirrors=[mirror.url], reserve=0)
        for _ in range(3):
            assert fetched(mover, tmp_path, Location(source.url)) == DATA
        assert len(mirror.asked) == 1
        assert f"The mirror {mirror.url} is not asked for 60 min" in caplog.text
        clock.seconds += 3601
        assert fetched(mover, tmp_path, Location(source.url)) == DATA
        assert len(mirror.asked) == 2


def test_a_mirror_that_does_not_answer_costs_little(web: Web, tmp_path: Path) -> None:
    def silent(asked: Asked, wire: Wire) -> None:
        wire.socket.recv(1)

    with raw_server(silent) as mirror, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, HandClock(), mirrors=[mirror.url], reserve=0)
        assert fetched(mover, tmp_path, Location(source.url)) == DATA


def test_a_mirror_with_other_bytes_does_not_become_the_builds_fault(web: Web, tmp_path: Path) -> None:
    with raw_server(serving(b"x" * len(DATA))) as mirror, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, HandClock(), mirrors=[mirror.url], reserve=0)
        assert fetched(mover, tmp_path, Location(source.url)) == DATA
        assert source.asked[0].range_start is None


def test_a_mirror_that_the_record_names_rests_as_well(web: Web, tmp_path: Path) -> None:
    with raw_server(lambda _, wire: wire.answer(500)) as mirror, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, HandClock(), reserve=0)
        for _ in range(2):
            assert fetched(mover, tmp_path, Location(source.url), Location(mirror.url, mirror=True)) == DATA
        assert len(mirror.asked) == 1


def test_where_source_and_mirror_fail_the_source_gives_the_reason(web: Web, tmp_path: Path) -> None:
    with raw_server(lambda _, wire: wire.answer(500)) as mirror, raw_server(lambda _, wire: wire.answer(404)) as source:
        mover = HttpMover(web, HandClock(), mirrors=[mirror.url], reserve=0)
        with pytest.raises(TransientError) as caught:
            fetched(mover, tmp_path, Location(source.url))
        assert caught.value.reason is Reason.NOT_FOUND
        assert f"127.0.0.1:{mirror.port}: server_error" in caught.value.message


def test_only_a_lying_mirror_leaves_nothing_behind(web: Web, tmp_path: Path) -> None:
    with raw_server(serving(b"x" * len(DATA))) as mirror:
        mover = HttpMover(web, HandClock(), mirrors=[mirror.url], reserve=0)
        with pytest.raises(RejectedError) as caught:
            fetched(mover, tmp_path)
        assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert not partial_in(tmp_path, RECORD).exists()
