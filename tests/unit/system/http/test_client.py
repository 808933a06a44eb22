"""The client against real sockets: what is sent, what comes back, and what a failure is called."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.raw_server import Asked, Wire, raw_server

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=1)) as client:
        yield client


def read(web: Web, location: Location, **more: Any) -> bytes:
    with web.get(location, **more) as answer:
        return b"".join(answer.blocks())


def test_a_get_hands_on_status_headers_and_body(web: Web) -> None:
    with raw_server(lambda _, wire: wire.answer(200, {"ETag": '"one"'}, b"bytes")) as server:
        with web.get(Location(f"{server.url}/build")) as answer:
            assert answer.status == 200
            assert answer.headers["etag"] == answer.headers["ETag"] == '"one"'
            assert answer.origin == server.url
            assert b"".join(answer.blocks()) == b"bytes"
        sent = server.asked[0].headers
        assert sent["accept-encoding"] == "identity"
        assert sent["user-agent"].startswith("pawld/")
        assert "cookie" not in sent


def test_any_status_is_handed_on(web: Web) -> None:
    with raw_server(lambda _, wire: wire.answer(404, {}, b"{}")) as server, web.get(Location(server.url)) as answer:
        assert answer.status == 404


def test_a_call_returns_the_whole_reply_and_does_not_follow(web: Web) -> None:
    with raw_server(lambda _, wire: wire.redirect("https://elsewhere.example/x")) as server:
        reply = web.call("POST", f"{server.url}/v1?q=1", headers={"X-Token": "s"}, body=b'{"a":1}')
        assert reply.status == 302
        assert reply.headers["location"] == "https://elsewhere.example/x"
        assert server.asked[0].headers["x-token"] == "s"
        assert server.asked[0].headers["content-length"] == "7"
        assert server.asked[0].target == "/v1?q=1"


def test_a_reply_beyond_its_limit_is_not_read_to_its_end(web: Web) -> None:
    with raw_server(lambda _, wire: wire.answer(200, {}, b"x" * 5000)) as server:
        with pytest.raises(TransientError, match="more than 1000 bytes") as caught:
            web.call("GET", server.url, limit=1000)
        assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_redirect_is_followed_with_range_but_without_any_other_header(web: Web) -> None:
    def second(asked: Asked, wire: Wire) -> None:
        assert set(asked.headers) == {"host", "user-agent", "accept", "accept-encoding", "range", "if-range"}
        wire.answer(206, {}, b"tail")

    with raw_server(second) as cdn, raw_server(lambda _, wire: wire.redirect(f"{cdn.url}/x?sig=1")) as api:
        location = Location(f"{api.url}/download", {"Authorization": "Bearer s", "X-Api-Key": "k"})
        assert read(web, location, headers={"Range": "bytes=4-", "If-Range": '"e"', "X-Other": "o"}) == b"tail"
        assert api.asked[0].headers["x-api-key"] == "k"
        assert api.asked[0].headers["x-other"] == "o"


def test_a_redirect_within_the_origin_keeps_the_credentials(web: Web) -> None:
    def api(asked: Asked, wire: Wire) -> None:
        wire.redirect("/v2/build") if asked.target == "/build" else wire.answer(200, {}, b"bytes")

    with raw_server(api) as server:
        assert read(web, Location(f"{server.url}/build", {"X-Api-Key": "k"})) == b"bytes"
        assert [one.headers["x-api-key"] for one in server.asked] == ["k", "k"]


def test_the_way_back_to_the_first_origin_carries_no_credentials(web: Web) -> None:
    def api(asked: Asked, wire: Wire) -> None:
        wire.redirect(f"{other.url}/there") if asked.target == "/build" else wire.answer(200, {}, b"bytes")

    with raw_server(lambda _, wire: wire.redirect(f"{server.url}/steal")) as other, raw_server(api) as server:
        assert read(web, Location(f"{server.url}/build", {"X-Api-Key": "k"})) == b"bytes"
        assert "x-api-key" not in server.asked[1].headers


def test_a_redirect_may_end_only_at_a_final_host(web: Web) -> None:
    with (
        raw_server(lambda _, wire: wire.answer(200), host="127.0.0.2") as cdn,
        raw_server(lambda _, wire: wire.redirect(cdn.url)) as api,
    ):
        assert read(web, Location(api.url, final_hosts=("127.0.0.2",))) == b""
        with pytest.raises(RejectedError, match="final hosts") as caught:
            read(web, Location(api.url, final_hosts=("objects.example",)))
        assert caught.value.reason is Reason.REDIRECT_REFUSED


def test_nobody_listening_is_unreachable(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TransientError, match="cannot be reached: Connection refused") as caught:
        web.call("GET", f"http://127.0.0.1:{port}/x?secret=1")
    assert caught.value.reason is Reason.UNREACHABLE
    assert "secret" not in caught.value.message


def test_a_name_that_does_not_resolve_is_said_to(web: Web) -> None:
    with pytest.raises(TransientError) as caught:
        web.call("GET", "https://no-such-host.invalid/")
    assert caught.value.reason is Reason.NAME_NOT_RESOLVED


def test_a_body_that_ends_early_is_a_cut_transfer(web: Web) -> None:
    def cut(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nfew")
        wire.socket.shutdown(socket.SHUT_RDWR)

    with raw_server(cut) as server, pytest.raises(TransientError) as caught:
        read(web, Location(server.url))
    assert caught.value.reason is Reason.TRANSFER_CUT


def test_a_deadline_ends_a_body_that_drips(web: Web) -> None:
    def drip(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        wire.drip(0.02)

    with raw_server(drip) as server, pytest.raises(TransientError) as caught:
        read(web, Location(server.url), deadline=timedelta(seconds=0.2))
    assert caught.value.reason is Reason.TRANSFER_STALLED


def test_a_deadline_ends_a_head_that_drips(web: Web) -> None:
    with raw_server(lambda _, wire: wire.drip(0.02, b"H")) as server, pytest.raises(TransientError) as caught:
        web.call("GET", server.url, deadline=timedelta(seconds=0.2))
    assert caught.value.reason is Reason.TIMED_OUT


def test_what_is_no_http_is_not_understood(web: Web) -> None:
    with raw_server(lambda _, wire: wire.send(b"220 smtp ready\r\n\r\n")) as server:
        with pytest.raises(TransientError) as caught:
            web.call("GET", server.url)
        assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_secret_with_a_line_end_is_refused_and_not_shown(web: Web) -> None:
    with raw_server(lambda _, wire: wire.answer(200)) as server:
        with pytest.raises(OperatorError) as caught:
            web.call("GET", server.url, headers={"Authorization": "Bearer hidden\r\nX: y"})
        assert caught.value.reason is Reason.CONFIG_INVALID
        assert "hidden" not in caught.value.message
        assert server.asked == []


def test_what_is_no_place_to_fetch_from_is_refused_before_anything_is_sent(web: Web) -> None:
    with pytest.raises(RejectedError, match="plain http") as caught:
        web.call("GET", "http://updates.example.com/x?secret")
    assert caught.value.reason is Reason.REDIRECT_REFUSED
    assert "secret" not in caught.value.message


def test_where_one_address_of_a_name_is_dead_the_next_is_tried(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(lambda _, wire: wire.answer(200)) as server:
        both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, server.port)) for one in ("127.0.0.9", "127.0.0.1")]
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *more, **how: both if host == "localhost" else real(host, *more, **how)
        )
        assert web.call("GET", f"http://localhost:{server.port}/").status == 200


def test_a_deadline_that_is_over_is_over_before_anything_is_sent(web: Web) -> None:
    with raw_server(lambda _, wire: wire.answer(200)) as server:
        with pytest.raises(TransientError) as caught:
            web.call("GET", server.url, deadline=timedelta(0))
        assert caught.value.reason is Reason.TIMED_OUT
        assert server.asked == []


def test_a_server_that_hangs_up_without_a_word_is_unreachable(web: Web) -> None:
    with raw_server(lambda _, wire: wire.hang_up()) as server:
        with pytest.raises(TransientError, match="without an answer") as caught:
            web.call("GET", server.url)
        assert caught.value.reason is Reason.UNREACHABLE
