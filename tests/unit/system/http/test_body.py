"""A body read into the caller's memory is the same as one that comes in blocks, and fails as it does."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from support.authority import Authority
from support.raw_server import Asked, Handler, Wire, raw_server

from pawld.errors import TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Body, Web

DATA = os.urandom(1_000_003)
STATED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DATA)


def whole(_: Asked, wire: Wire) -> None:
    wire.send(STATED + DATA)


def until_the_end(_: Asked, wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + DATA)
    wire.hang_up()


def in_parts(_: Asked, wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in (DATA[:300_000], DATA[300_000:]):
        wire.send(b"%x\r\n%b\r\n" % (len(part), part))
    wire.send(b"0\r\n\r\n")


def read(web: Web, url: str, came: bytearray) -> None:
    with web.get(Location(url)) as answer:
        body, memory = Body(answer), memoryview(bytearray(100_000))
        while count := body.read_into(memory):
            came += memory[:count]
        assert body.read_into(memory) == 0


@pytest.mark.parametrize("handler", [whole, until_the_end, in_parts])
def test_a_body_comes_whole_however_it_is_framed(handler: Handler) -> None:
    came = bytearray()
    with raw_server(handler) as server, Web() as web:
        read(web, server.url, came)
    assert came == DATA


def test_a_body_over_tls_comes_whole(tmp_path: Path) -> None:
    authority, came = Authority(tmp_path), bytearray()
    with raw_server(whole, tls=authority.server()) as server, Web(ca_file=authority.ca_file) as web:
        read(web, server.url, came)
    assert came == DATA


def test_a_body_that_ends_before_its_stated_length_is_cut_and_loses_nothing() -> None:
    def handler(_: Asked, wire: Wire) -> None:
        wire.send(STATED + DATA[:500_000])
        wire.hang_up()

    came = bytearray()
    with raw_server(handler) as server, Web() as web, pytest.raises(TransientError) as caught:
        read(web, server.url, came)
    assert caught.value.reason is Reason.TRANSFER_CUT
    assert came == DATA[:500_000]


def test_a_body_that_goes_silent_has_stalled() -> None:
    def handler(_: Asked, wire: Wire) -> None:
        wire.send(STATED + DATA[:500_000])
        wire.wait_for_the_end()

    came = bytearray()
    with (
        raw_server(handler) as server,
        Web(stall=timedelta(seconds=0.2)) as web,
        pytest.raises(TransientError) as caught,
    ):
        read(web, server.url, came)
    assert caught.value.reason is Reason.TRANSFER_STALLED
    assert came == DATA[:500_000]


def test_the_next_request_of_the_client_is_answered_after_a_body_was_read() -> None:
    came = bytearray()
    with raw_server(whole) as server, Web() as web:
        read(web, server.url, came)
        read(web, server.url, came)
    assert came == DATA * 2


def test_the_connection_of_a_body_that_came_with_its_head_serves_the_next_request() -> None:
    """So that the handful of small documents of a check cost one handshake."""
    came, peers = bytearray(), set[object]()

    def handler(_: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsmall")

    with raw_server(handler) as server, Web() as web:
        for _ in range(3):
            with web.get(Location(server.url)) as answer:
                body, memory = Body(answer), memoryview(bytearray(100))
                while count := body.read_into(memory):
                    came += memory[:count]
                peers.add(answer.response.extensions["network_stream"].get_extra_info("client_addr"))
    assert came == b"small" * 3
    assert len(peers) == 1


@pytest.mark.parametrize("head", [b"304 Same", b"204 None\r\nContent-Length: 9"])
def test_the_connection_of_an_answer_without_a_body_serves_the_next_request(head: bytes) -> None:
    peers = set[object]()
    with raw_server(lambda _, wire: wire.send(b"HTTP/1.1 " + head + b"\r\n\r\n")) as server, Web() as web:
        for _ in range(3):
            with web.get(Location(server.url)) as answer:
                assert answer.whole(9) == b""
                peers.add(answer.response.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(peers) == 1
