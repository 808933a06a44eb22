"""A connection serves one answer for each request: what follows an answer is nobody's."""

from pathlib import Path

import pytest
from support.authority import Authority
from support.raw_server import Asked, Handler, Wire, raw_server

from pawld.model import Location
from pawld.system.http import Body, Web

FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
FIRSTS = {
    "behind a body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst" + FORGED,
    "behind lines that end in LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nfirst" + FORGED,
    "behind an interim answer": b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst" + FORGED,
    "behind chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n" + FORGED,
    "behind a length that is told twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nfirst" + FORGED,
    "behind no body": b"HTTP/1.1 204 No\r\nContent-Length: 6\r\n\r\n" + FORGED,
    "behind a head alone": b"HTTP/1.1 304 Same\r\n\r\n" + FORGED,
    "behind an empty one": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + FORGED,
    "behind one of a megabyte": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(1_000_000) + FORGED,
}


def answering(first: bytes) -> Handler:
    def answer(asked: Asked, wire: Wire) -> None:
        if asked.target == "/first":
            wire.send(first)
        else:
            wire.answer(200, body=b"honest")

    return answer


def read(web: Web, url: str) -> bytes:
    with web.get(Location(url)) as answer:
        body, block, came = Body(answer), memoryview(bytearray(4096)), bytearray()
        while count := body.read_into(block):
            came += block[:count]
        return bytes(came)


@pytest.mark.parametrize("way", ["called", "read"])
@pytest.mark.parametrize("first", FIRSTS.values(), ids=FIRSTS.keys())
def test_bytes_behind_an_answer_do_not_answer_the_next_request(first: bytes, way: str) -> None:
    with raw_server(answering(first)) as server, Web() as web:
        for target in ("/first", "/second"):
            url = server.url + target
            said = web.call("GET", url).body if way == "called" else read(web, url)
        assert said == b"honest"


def test_nor_do_they_over_tls(tmp_path: Path) -> None:
    authority, first = Authority(tmp_path), FIRSTS["behind a body"]
    with raw_server(answering(first), tls=authority.server()) as server, Web(ca_file=authority.ca_file) as web:
        assert web.call("GET", f"{server.url}/first").body == b"first"
        assert web.call("GET", f"{server.url}/second").body == b"honest"


def test_a_head_that_comes_byte_by_byte_is_read_all_the_same() -> None:
    def answer(_: Asked, wire: Wire) -> None:
        for byte in FIRSTS["behind a body"].removesuffix(FORGED):
            wire.send(bytes([byte]))

    with raw_server(answer) as server, Web() as web:
        assert [web.call("GET", server.url).body for _ in range(2)] == [b"first"] * 2
