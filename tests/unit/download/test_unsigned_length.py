"""Where only a digest is signed, the server's own length stands in, and never goes above the cap."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, cut_after, partial_in, record_of, serving
from support.raw_server import Asked, Wire, raw_server

from pawld.download.mover import HttpMover
from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Location, Record
from pawld.reasons import Reason
from pawld.system.http import Web

DATA = os.urandom(200_000)
CAPPED = replace(record_of(DATA), length=1 << 31, length_signed=False)


@pytest.fixture
def mover() -> Iterator[HttpMover]:
    with Web(stall=timedelta(seconds=1)) as web:
        yield HttpMover(web, HandClock(), reserve=0, free=lambda _path: 1 << 20)


def fetched(mover: HttpMover, directory: Path, url: str, record: Record = CAPPED) -> bytes:
    downloaded = mover.fetch(record, [Location(url)], partial_in(directory, record), Told())
    with downloaded.file as file:
        return file.read()


def test_the_announced_length_is_what_has_to_come(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as server:
        assert fetched(mover, tmp_path, server.url) == DATA


def test_a_cut_download_is_resumed_though_its_length_is_not_signed(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(cut_after(DATA, 90_000)) as server:
        assert fetched(mover, tmp_path, server.url) == DATA
        assert len(server.asked) == 3


def test_more_than_the_cap_is_refused_before_a_byte_is_written(mover: HttpMover, tmp_path: Path) -> None:
    record = replace(CAPPED, length=100_000)
    with raw_server(serving(DATA)) as server, pytest.raises(RejectedError) as caught:
        fetched(mover, tmp_path, server.url, record)
    assert caught.value.reason is Reason.LENGTH_MISMATCH
    assert not partial_in(tmp_path, record).exists()


def test_a_server_that_says_no_length_is_not_read_without_end(mover: HttpMover, tmp_path: Path) -> None:
    def endless(_asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA)
        wire.hang_up()

    with raw_server(endless) as server, pytest.raises(PawldError) as caught:
        fetched(mover, tmp_path, server.url)
    assert isinstance(caught.value, TransientError)
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD
