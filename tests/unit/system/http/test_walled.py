"""Both ends of the client behind walls, the child's in this process: it does what the plain client does."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.moving import cut_after, serving
from support.raw_server import raw_server
from support.wall_threads import Threads
from werkzeug import Request, Response

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web, behind_walls
from pawld.system.http.behind_walls import ASK, BEGIN, serve
from pawld.system.http.hop import Hop
from pawld.system.http.urls import address_of
from pawld.system.http.walled import WalledWeb
from pawld.system.walls import BrokenChannelError, Channel
from pawld.system.walls.plain import MOST_VALUES

BIG = bytes(range(256)) * 20_000


@pytest.fixture
def walls() -> Iterator[Threads]:
    made = Threads()
    yield made
    assert all(one.ended for one in made.started), "a child was forgotten"


@pytest.fixture
def web(walls: Threads) -> Iterator[WalledWeb]:
    with WalledWeb(walls, stall=timedelta(seconds=5)) as made:  # type: ignore[arg-type]  # of the same form
        yield made


def fetched(web: Web, location: Location, **asked: Any) -> tuple[int, bytes, str]:
    with web.get(location, **asked) as answer:
        return answer.status, answer.whole(1 << 30), answer.url


def test_what_a_child_takes_to_start_is_not_taken_from_the_server(httpserver: HTTPServer, walls: Threads) -> None:
    httpserver.expect_request("/a").respond_with_data(b"a")
    walls.slow = 1.1  # more than the deadline, which leaves a busy machine its time
    with WalledWeb(walls) as web:  # type: ignore[arg-type]  # of the same form
        assert web.call("GET", httpserver.url_for("/a"), deadline=timedelta(seconds=1)).body == b"a"


def test_a_file_comes_whole_by_its_redirect_with_what_was_asked(web: WalledWeb, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        assert request.headers["Range"] == "bytes=0-"
        return Response(BIG)

    target = httpserver.url_for("/second")
    httpserver.expect_request("/first", headers={"X-Token": "t"}).respond_with_data(
        status=302, headers={"Location": target}
    )
    httpserver.expect_request("/second").respond_with_handler(answer)
    location = Location(httpserver.url_for("/first"), headers={"X-Token": "t"})
    assert fetched(web, location, headers={"Range": "bytes=0-"}) == (200, BIG, target)


def test_one_child_serves_request_after_request_whatever_was_read_of_each(
    web: WalledWeb, walls: Threads, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/none").respond_with_data("no", status=404)
    httpserver.expect_request("/big").respond_with_data(BIG)
    for _ in range(3):
        with web.get(Location(httpserver.url_for("/none"))) as answer:
            assert answer.status == 404
    assert fetched(web, Location(httpserver.url_for("/big")))[1] == BIG
    assert len(walls.started) == 1
    with web.get(Location(httpserver.url_for("/big"))) as answer:
        assert next(iter(answer.blocks()))
    assert fetched(web, Location(httpserver.url_for("/big")))[1] == BIG
    assert len(walls.started) == 2, "one that was left in the middle of a body is not asked again"


def test_two_at_a_time_have_a_child_each(web: WalledWeb, walls: Threads) -> None:
    with raw_server(serving(BIG)) as server, web.get(Location(server.url)) as one, web.get(Location(server.url)) as two:
        assert one.whole(1 << 30) == two.whole(1 << 30) == BIG
    assert len(walls.started) == 2


@pytest.fixture
def elsewhere() -> Iterator[HTTPServer]:
    with HTTPServer() as server:
        server.expect_request("/b").respond_with_data(b"b")
        yield server


def test_a_redirect_to_another_origin_is_asked_by_another_child_that_knows_no_secret(
    web: WalledWeb, walls: Threads, httpserver: HTTPServer, elsewhere: HTTPServer
) -> None:
    target = elsewhere.url_for("/b")
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": target})
    location = Location(httpserver.url_for("/a"), headers={"Authorization": "Bearer secret"})
    assert fetched(web, location, headers={"Range": "bytes=0-"}) == (200, b"b", target)
    first, second = walls.started
    assert b"secret" in first.noting.heard
    assert target.encode() not in first.noting.heard
    assert b"secret" not in second.noting.heard
    assert b"bytes=0-" in second.noting.heard


def test_those_who_know_no_secret_ask_every_origin_and_one_that_knows_makes_room(
    web: WalledWeb, walls: Threads, httpserver: HTTPServer, elsewhere: HTTPServer
) -> None:
    """Each costs 25 MB: one of either kind is kept."""
    httpserver.expect_request("/a").respond_with_data(b"a")
    open_a, open_b = Location(httpserver.url_for("/a")), Location(elsewhere.url_for("/b"))
    secret_a, secret_b = (Location(one.url, headers={"X-Token": "t"}) for one in (open_a, open_b))
    for one in (open_a, open_b, open_a):
        fetched(web, one)
    assert len(walls.started) == 1
    for one in (secret_a, open_b, secret_a, secret_a, open_a):
        fetched(web, one)
    assert [one.ended for one in walls.started] == [False, False]
    fetched(web, secret_b)
    assert [one.ended for one in walls.started] == [False, True, False]


def test_one_that_talked_to_one_origin_alone_may_be_told_its_secret(
    web: WalledWeb, walls: Threads, httpserver: HTTPServer, elsewhere: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_data(b"a")
    fetched(web, Location(httpserver.url_for("/a")))
    fetched(web, Location(httpserver.url_for("/a"), headers={"X-Token": "t"}))
    assert len(walls.started) == 1
    fetched(web, Location(elsewhere.url_for("/b")))
    assert len(walls.started) == 2


@pytest.mark.parametrize(
    ("address", "headers", "body", "secret"),
    [
        ("https://a.example/x", {"Accept": "*/*", "If-None-Match": '"1"', "content-type": "a/b"}, None, False),
        ("https://a.example/x", {}, b"", False),
        ("https://a.example/x", {"X-New": "1"}, None, True),
        ("https://a.example/x?signature=1", {}, None, True),
        ("https://a.example/x", {}, b"password=1", True),
    ],
)
def test_whatever_may_be_a_secret_is_taken_for_one(
    address: str, headers: dict[str, str], body: bytes | None, secret: bool
) -> None:
    assert Hop("GET", address_of(address), headers, body).may_hold_secrets is secret


def test_a_call_carries_method_headers_and_body(web: WalledWeb, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/call", method="PUT", headers={"X": "y"}).respond_with_handler(
        lambda request: Response(request.data[::-1], status=201, headers={"X-Answer": "é"})
    )
    body = b"begin" + bytes(3_000_000)
    reply = web.call("PUT", httpserver.url_for("/call"), headers={"X": "y"}, body=body, limit=4 << 20)
    assert (reply.status, reply.body, reply.headers["x-answer"]) == (201, body[::-1], "é")


def test_what_the_network_does_is_told_as_without_walls(web: WalledWeb, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/large").respond_with_data(BIG)
    httpserver.expect_request("/packed").respond_with_data(b"x", headers={"Content-Encoding": "gzip"})
    asked: list[tuple[type[PawldError], Reason, Any]] = [
        (TransientError, Reason.UNREACHABLE, lambda one: fetched(one, Location("http://127.0.0.1:1/"))),
        (RejectedError, Reason.REDIRECT_REFUSED, lambda one: fetched(one, Location("http://example.com/"))),
        (
            TransientError,
            Reason.ANSWER_NOT_UNDERSTOOD,
            lambda one: one.call("GET", httpserver.url_for("/large"), limit=9),
        ),
        (
            RejectedError,
            Reason.ENCODING_REFUSED,
            lambda one: fetched(one, Location(httpserver.url_for("/packed"))),
        ),
    ]
    for kind, reason, ask in asked:
        said = []
        with Web() as plain:
            for one in (plain, web):
                with pytest.raises(PawldError) as caught:
                    ask(one)
                assert (type(caught.value), caught.value.reason) == (kind, reason)
                said.append(caught.value.message)
        assert said[0] == said[1]


@pytest.mark.parametrize("told", [{"version": "1.0"}, {"deep": [[{"a": -(2**63)}], 1.5, None]}, {"name": "\ud800"}])
def test_what_an_interface_answers_is_read_by_the_child_that_asked(
    told: dict[str, Any], web: WalledWeb, walls: Threads, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_json(told)
    httpserver.expect_request("/b").respond_with_data(status=302, headers={"Location": httpserver.url_for("/a")})
    for reply in (web.call("GET", httpserver.url_for("/a")), web.fetch(Location(httpserver.url_for("/b")))):
        assert reply.document == told
        assert json.loads(reply.body) == told
    assert len(walls.started) == 1


@pytest.mark.parametrize("one", ["1", "-1", '""', "[]", "{}", '{"":1}', "1e9", '"\\ud800"', "null"])
def test_what_becomes_longer_by_being_told_is_taken_whole(one: str, web: WalledWeb, httpserver: HTTPServer) -> None:
    body = f'{{"":[{",".join([one] * 9999)}]}}'
    httpserver.expect_request("/a").respond_with_data(body)
    assert web.call("GET", httpserver.url_for("/a")).document == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1]",
        b"[" + b"1," * MOST_VALUES + b"1]",
        b'{"wide": %s}' % (b"9" * 400),
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ],
    ids=["nothing", "a page", "a list", "too many values", "a number too wide", "too deep"],
)
def test_what_is_no_object_or_too_much_of_one_is_no_document(
    body: bytes, web: WalledWeb, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_data(body)
    for _ in range(2):
        reply = web.call("GET", httpserver.url_for("/a"))
        assert (reply.document, reply.body) == (None, body)


def test_what_a_receiver_says_is_read_where_it_refuses(web: WalledWeb, httpserver: HTTPServer) -> None:
    for status in (200, 500):
        httpserver.expect_ordered_request("/a").respond_with_json({"kind": "full"}, status)
    said = [web.tell(httpserver.url_for("/a"), b"letter", most=99).document for _ in range(2)]
    assert said == [None, {"kind": "full"}]


def test_a_body_that_is_cut_keeps_what_came(web: WalledWeb) -> None:
    with raw_server(cut_after(b"abcdef", 3)) as server, web.get(Location(server.url)) as answer:
        blocks = answer.blocks()
        assert next(blocks) == b"abc"
        with pytest.raises(TransientError) as caught:
            next(blocks)
    assert caught.value.reason is Reason.TRANSFER_CUT


def test_a_reader_is_woken_by_an_abort(walls: Threads) -> None:
    held = threading.Event()

    def answer(_: object, wire: Any) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        held.wait(60)

    web = WalledWeb(walls, stall=timedelta(minutes=1))  # type: ignore[arg-type]  # as above
    with raw_server(answer) as server, web, web.get(Location(server.url)) as found:
        blocks = found.blocks()
        assert next(blocks) == b"abc"
        begun = time.monotonic()
        threading.Timer(0.05, found.abort).start()
        with pytest.raises(TransientError):
            next(blocks)
        assert time.monotonic() - begun < 30, "it was the abort, and not the silence of the server"
        held.set()


def test_authorities_are_read_by_root_and_given_to_the_child(walls: Threads, tmp_path: Path) -> None:
    with WalledWeb(walls, ca_file=tmp_path / "none.pem") as web, pytest.raises(OperatorError) as caught:  # type: ignore[arg-type]  # as above
        web.call("GET", "https://127.0.0.1:1/")
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_child_that_was_begun_ahead_is_the_first_to_be_asked(
    web: WalledWeb, walls: Threads, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/a").respond_with_data(b"a")
    web.warm()
    web.warm()
    assert [one.seen for one in walls.started] == [False]
    for _ in range(2):
        assert web.call("GET", httpserver.url_for("/a")).body == b"a"
    web.warm()
    assert [one.seen for one in walls.started] == [True]


def test_a_child_that_was_begun_for_nothing_is_ended(web: WalledWeb, walls: Threads) -> None:
    web.warm()
    web.close()
    assert [(one.seen, one.ended) for one in walls.started] == [(False, True)]


def test_a_child_that_is_asked_for_no_such_thing_leaves() -> None:
    for words in ([(ASK, {})], [(BEGIN, behind_walls.beginning(None, None, timedelta(1), "x")), (b"z", {})]):
        one, other = (Channel(end) for end in socket.socketpair())
        with closing(one), closing(other):
            for kind, document in words:
                one.tell(kind, document)
            one.flush()
            with pytest.raises(BrokenChannelError, match="it was"):
                serve(other)


def test_the_program_goes_behind_the_walls_serves_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (Channel(end) for end in socket.socketpair())
    left: list[int] = []
    monkeypatch.setattr(behind_walls, "enter", lambda *_, **__: other)
    monkeypatch.setattr(behind_walls, "leave", left.append)
    one.close()
    with closing(other):
        behind_walls.main(["1", "2"])
    assert left == [0]


def test_the_end_of_the_parent_is_the_end_of_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(behind_walls.os, "_exit", lambda _: ended.set())
    one, other = (Channel(end) for end in socket.socketpair())
    with closing(other):
        behind_walls._end_with(other)
        one.put(b"x")
        one.flush()
        assert not ended.wait(0.05)
        one.close()
        assert ended.wait(60)
