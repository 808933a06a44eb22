"""Reads and deadlines at the socket."""

import os
import time
from datetime import timedelta
from pathlib import Path

import httpcore
import pytest
from support.authority import Authority
from support.raw_server import Asked, Wire, raw_server

from pawld.errors import TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.system.http.wire import READ_BLOCK, Patience

DATA = os.urandom(3_000_001)


@pytest.mark.parametrize("pause", [0, 0.0005])
def test_a_body_over_tls_comes_whole_in_large_blocks(tmp_path: Path, pause: float) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(DATA)}\r\n\r\n".encode())
        for at in range(0, len(DATA), 100_000):
            wire.send(DATA[at : at + 100_000])
            time.sleep(pause)

    authority = Authority(tmp_path)
    with (
        raw_server(handler, tls=authority.server()) as server,
        Web(ca_file=authority.ca_file) as web,
        web.get(Location(server.url)) as answer,
    ):
        blocks = list(answer.blocks())
        assert b"".join(blocks) == DATA
        assert max(len(block) for block in blocks) <= READ_BLOCK + 16 * 1024
        assert len(blocks) < len(DATA) / 16384


def test_a_tls_connection_that_breaks_after_full_records_is_cut_and_loses_none(tmp_path: Path) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(DATA)}\r\n\r\n".encode() + DATA[:500_000])
        wire.socket.close()

    authority, came = Authority(tmp_path), list[bytes]()
    with (
        raw_server(handler, tls=authority.server()) as server,
        Web(ca_file=authority.ca_file) as web,
        web.get(Location(server.url)) as answer,
        pytest.raises(TransientError) as caught,
    ):
        came.extend(answer.blocks())
    assert caught.value.reason is Reason.TRANSFER_CUT
    assert b"".join(came) == DATA[:500_000]


def test_patience_ends_with_the_whole_though_each_wait_be_short() -> None:
    patience = Patience.within(timedelta(seconds=30), timedelta(seconds=10))
    assert 9 < patience.left() <= 10
    patience.extend(timedelta(seconds=5), timedelta(hours=1))
    assert patience.left() == 5
    patience.extend(timedelta(seconds=5), timedelta(seconds=-1))
    with pytest.raises(httpcore.ReadTimeout):
        patience.left()
