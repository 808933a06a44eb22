"""Redirects that try to carry secrets away, or to use this host as a door to its own network."""

import ipaddress
import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from support.raw_server import Asked, Wire, raw_server

from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.system.http.pools import Pools

CREDENTIALS = {"Authorization": "Bearer s", "X-Api-Key": "k", "Cookie": "c=1", "X-Auth-Token": "t"}
HARMLESS = {"host", "user-agent", "accept", "accept-encoding", "range", "if-range"}


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=1)) as client:
        yield client


@pytest.fixture
def seen_as_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first answer seem to come from the public internet, which no test can listen on."""
    monkeypatch.setattr(Pools, "peer", lambda *_: ipaddress.ip_address("93.184.216.34"))


def refused(web: Web, location: str) -> PawldError:
    with (
        raw_server(lambda _, wire: wire.redirect(location)) as server,
        pytest.raises(PawldError) as caught,
        web.get(Location(server.url, CREDENTIALS)),
    ):
        pass
    return caught.value


def strict(asked: Asked, wire: Wire) -> None:
    assert set(asked.headers) <= HARMLESS, "a header went to an origin that it was not meant for"
    wire.answer(200, {}, b"bytes")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_header_of_the_caller_reaches_a_second_origin(web: Web, status: int) -> None:
    with (
        raw_server(strict) as cdn,
        raw_server(lambda _, wire: wire.redirect(cdn.url, status)) as api,
        web.get(Location(api.url, CREDENTIALS), headers={"Range": "bytes=5-", "If-Range": '"e"', "X-More": "m"}) as got,
    ):
        assert b"".join(got.blocks()) == b"bytes"
        assert set(api.asked[0].headers) > {name.lower() for name in CREDENTIALS}
    assert cdn.asked[0].headers["range"] == "bytes=5-"


def test_another_port_is_another_origin_and_a_detour_gives_nothing_back(web: Web) -> None:
    def first(asked: Asked, wire: Wire) -> None:
        if asked.target == "/start":
            wire.redirect(f"{second.url}/detour")
        else:
            strict(asked, wire)

    with (
        raw_server(lambda _, wire: wire.redirect(f"{api.url}/loot")) as second,
        raw_server(first) as api,
        web.get(Location(f"{api.url}/start", CREDENTIALS)) as got,
    ):
        assert got.status == 200


def test_a_cookie_that_is_set_is_never_sent_back(web: Web) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        assert "cookie" not in asked.headers
        headers = {"Set-Cookie": "tracked=1; Path=/"}
        wire.answer(302, {**headers, "Location": "/b"}) if asked.target == "/" else wire.answer(200, headers)

    with raw_server(handler) as server:
        for _ in range(2):
            with web.get(Location(f"{server.url}/")) as got:
                assert got.status == 200


@pytest.mark.parametrize(
    "location",
    [
        "http://cdn.example/x",
        "file:///etc/shadow",
        "ftp://cdn.example/x",
        "gopher://127.0.0.1:70/x",
        "data:text/plain,x",
        "https://user:hunter2@cdn.example/x",
        "https://api.example@cdn.example/x",
        "https://cdn.example/a\tb",
        "https://cdn.example/a b",
        "https://cdn.example\\@127.0.0.1/",
        "https://",
        "https://cdn.example:0x50/",
        "https://[::1",
        "https://cdn.example/" + "a" * 9000,
        "http://127.0.0.1.nip.io/",
        "https://cdn..example/x",
        "https://" + "a" * 64 + ".example/x",
        "https://" + "a." * 127 + "example/x",
        "",
    ],
)
def test_a_redirect_to_where_nothing_is_fetched_from_is_refused(web: Web, location: str) -> None:
    error = refused(web, location)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.REDIRECT_REFUSED
    assert "hunter2" not in error.message


@pytest.mark.parametrize("head", ["", "Location: /a\r\nLocation: https://evil.example/\r\n", "Location: /a\x01b\r\n"])
def test_a_redirect_without_one_clear_place_goes_nowhere(web: Web, head: str) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        assert asked.target == "/"
        wire.send(f"HTTP/1.1 302 Found\r\n{head}Content-Length: 0\r\n\r\n".encode())

    with raw_server(handler) as server, pytest.raises(PawldError) as caught, web.get(Location(server.url)):
        pass
    assert caught.value.reason in (Reason.REDIRECT_REFUSED, Reason.ANSWER_NOT_UNDERSTOOD)


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[fe80::1]", "100.100.100.200", "0.0.0.0"],
)
def test_no_redirect_leads_to_a_metadata_or_link_local_address(web: Web, host: str) -> None:
    error = refused(web, f"https://{host}/latest/meta-data/iam")
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.REDIRECT_REFUSED


@pytest.mark.usefixtures("seen_as_public")
@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:{}", "http://localhost:{}", "https://127.1:{}", "https://2130706433:{}"]
)
def test_a_redirect_from_the_public_does_not_even_connect_to_this_host(web: Web, target: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = refused(web, target.format(listener.getsockname()[1]))
        assert isinstance(error, RejectedError)
        assert error.reason is Reason.REDIRECT_REFUSED
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.usefixtures("seen_as_public")
@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.0.1", "172.16.0.1", "[fd12::1]", "[::1]", "100.64.0.1"])
def test_a_redirect_from_the_public_does_not_lead_to_a_private_network(web: Web, host: str) -> None:
    assert refused(web, f"https://{host}/").reason is Reason.REDIRECT_REFUSED


@pytest.mark.usefixtures("seen_as_public")
def test_a_connection_of_before_is_no_way_around_the_guard(web: Web) -> None:
    """The one that the administrator allowed stays open; a redirect to the same address must not use it."""
    with raw_server(lambda _, wire: wire.answer(200)) as internal:
        assert web.call("GET", internal.url).status == 200
        assert refused(web, f"{internal.url}/admin").reason is Reason.REDIRECT_REFUSED
        assert internal.targets == ["/"]


@pytest.mark.usefixtures("seen_as_public")
def test_a_name_that_resolves_to_a_private_address_is_refused(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def rebinding(host: str, *more: object, **options: object) -> list[object]:
        return list(real("10.9.8.7" if host == "cdn.example" else host, *more, **options))  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    error = refused(web, "https://cdn.example/x")
    assert "10.9.8.7" in error.message
    assert error.reason is Reason.REDIRECT_REFUSED


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254"])
def test_an_address_that_a_public_interface_names_leads_no_further_than_its_redirect(
    web: Web, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    real = socket.getaddrinfo
    public = {"api.example": "93.184.216.34"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda name, *more, **how: real(public.get(name, name), *more, **how))
    location = Location(f"https://{host}/x", named_by="https://api.example/v5?token=s")
    with pytest.raises(RejectedError) as caught, web.get(location):
        pass
    assert caught.value.reason is Reason.REDIRECT_REFUSED


def test_an_address_that_an_interface_of_this_host_names_may_be_on_it(web: Web) -> None:
    with raw_server(strict) as server, web.get(Location(server.url, named_by="http://localhost:1/")) as got:
        assert got.status == 200


def test_an_address_that_an_unresolvable_interface_names_is_public_or_none(web: Web) -> None:
    with (
        raw_server(strict) as server,
        pytest.raises(RejectedError),
        web.get(Location(server.url, named_by="https://no-such-host.invalid/")),
    ):
        pass


def test_an_endless_loop_ends_after_five_hops(web: Web) -> None:
    with (
        raw_server(lambda asked, wire: wire.redirect(f"/{len(asked.target)}{asked.target}")) as server,
        pytest.raises(TransientError) as caught,
        web.get(Location(server.url)),
    ):
        pass
    assert caught.value.reason is Reason.REDIRECT_LOOP
    assert len(server.asked) == 6


def test_slow_redirects_share_one_deadline(web: Web) -> None:
    def slow(asked: Asked, wire: Wire) -> None:
        for part in (b"HTTP/1.1 302 F\r\n", b"Location: /n\r\n", b"Content-Length: 0\r\n", b"X: y\r\n", b"\r\n"):
            wire.drip(0.05, part, times=1)

    with (
        raw_server(slow) as server,
        pytest.raises(TransientError) as caught,
        web.get(Location(server.url), deadline=timedelta(seconds=0.4)),
    ):
        pass
    assert caught.value.reason is Reason.TIMED_OUT
    assert len(server.asked) <= 3
