"""Mirrors are tried first, by digest, and rest after a fault."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, partial_in, proof_of, record_of, serving
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


def test_a_mirror_may_say_itself_where_the_digest_goes(web: Web, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as kraken, raw_server(serving(DATA)) as source:
        mirror = f"{kraken.url}/namespace/agents/blobs/{{sha256}}"
        mover = HttpMover(web, HandClock(), mirrors=[mirror], reserve=0)
        assert fetched(mover, tmp_path, Location(source.url)) == DATA
        assert kraken.targets == [f"/namespace/agents/blobs/{RECORD.sha256}"]


def test_mirrors_are_asked_in_order_until_one_has_it(web: Web, tmp_path: Path) -> None:
    with (
        raw_server(lambda _, wire: wire.answer(404)) as first,
        raw_server(serving(DATA)) as second,
        raw_server(serving(DATA)) as third,
        raw_server(serving(DATA)) as source,
    ):
        mover = HttpMover(web, HandClock(), mirrors=[first.url, second.url, third.url], reserve=0)
        assert fetched(mover, tmp_path, Location(source.url)) == DATA
        assert [len(one.asked) for one in (first, second, third, source)] == [1, 1, 0, 0]


def test_lying_mirrors_do_not_condemn_a_build_that_is_proven_in_chunks(
    web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record = record_of(DATA, chunk=64 * 1024)
    liar = serving(b"x" * len(DATA))
    with raw_server(liar) as first, raw_server(liar) as second, raw_server(serving(DATA)) as source:
        mover = HttpMover(web, HandClock(), mirrors=[first.url, second.url], reserve=0)
        for number in range(2):
            partial = partial_in(tmp_path, record).with_name(f"{number}.unverified")
            views = mover.chunks(record, [Location(source.url)], partial, Told(), proof_of(record))
            assert b"".join(map(bytes, views)) == DATA
        assert [len(one.asked) for one in (first, second)] == [1, 1]
    assert f"The mirror {first.url} is not asked for 60 min" in caplog.text


def test_a_bad_mirror_rests_for_the_next_process_too(web: Web, tmp_path: Path) -> None:
    clock, rests = HandClock(), tmp_path / "mirrors.json"
    with raw_server(lambda _, wire: wire.answer(404)) as mirror, raw_server(serving(DATA)) as source:
        for seconds, asked in ((0, 1), (60, 1), (3600, 2)):
            clock.seconds += seconds
            mover = HttpMover(web, clock, mirrors=[mirror.url], rests=rests, reserve=0)
            assert fetched(mover, tmp_path, Location(source.url)) == DATA
            assert len(mirror.asked) == asked


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"http://x": 5}', b'{"http://x": "noon"}'])
def test_a_damaged_memory_of_rests_is_none(web: Web, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "mirrors.json").write_bytes(damage)
    with raw_server(serving(DATA)) as mirror:
        mover = HttpMover(web, HandClock(), mirrors=[mirror.url], rests=tmp_path / "mirrors.json", reserve=0)
        assert fetched(mover, tmp_path) == DATA


def test_a_clock_that_was_set_back_does_not_make_a_rest_longer(web: Web, tmp_path: Path) -> None:
    clock, rests = HandClock(), tmp_path / "mirrors.json"
    with raw_server(lambda _, wire: wire.answer(404)) as mirror, raw_server(serving(DATA)) as source:
        for seconds in (0, -86_400):
            clock.seconds += seconds
            mover = HttpMover(web, clock, mirrors=[mirror.url], rests=rests, reserve=0)
            assert fetched(mover, tmp_path, Location(source.url)) == DATA
        assert len(mirror.asked) == 2
