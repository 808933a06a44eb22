"""Through a proxy: what goes through it, what does not, and that it opens no door."""

import socket
from datetime import timedelta
from pathlib import Path

import pytest
from support.authority import Authority
from support.proxies import tunnel_to
from support.raw_server import Asked, Wire, raw_server

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def public_names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Names that resolve as the test says; all others as ever."""
    names = {"api.example": "93.184.216.34"}
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **how: real(names.get(host, host), *more, **how))
    return names


def test_https_goes_through_the_proxy_with_the_name_and_its_certificate(authority: Authority) -> None:
    tls = authority.server("api.example")
    with (
        raw_server(lambda _, wire: wire.answer(200, {}, b"yes"), tls=tls) as server,
        raw_server(tunnel_to(server.port)) as proxy,
        Web(proxy=proxy.url.replace("//", "//me:pa%20ss@"), ca_file=authority.ca_file) as web,
    ):
        assert web.call("GET", "https://api.example/x").body == b"yes"
        assert proxy.targets == ["api.example:443"]
        assert proxy.asked[0].headers["proxy-authorization"] == "Basic bWU6cGEgc3M="
        assert "proxy-authorization" not in server.asked[0].headers


def test_loopback_does_not_go_through_the_proxy() -> None:
    with raw_server(lambda _, wire: wire.answer(200)) as server, Web(proxy="http://127.0.0.1:1") as web:
        assert web.call("GET", server.url).status == 200


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with raw_server(lambda _, wire: wire.answer(200)) as server, Web() as web:
        assert web.call("GET", server.url).status == 200


def test_a_proxy_that_refuses_is_named_as_the_cause() -> None:
    with raw_server(lambda _, wire: wire.answer(403)) as proxy, Web(proxy=proxy.url) as web:
        with pytest.raises(TransientError, match="The proxy did not let") as caught:
            web.call("GET", "https://api.example/?secret")
        assert caught.value.reason is Reason.UNREACHABLE
        assert "secret" not in caught.value.message


@pytest.mark.parametrize("target", ["https://10.0.0.1/", "https://internal.example/", "https://169.254.169.254/"])
def test_a_redirect_through_the_proxy_is_judged_before_it_is_asked_for(
    authority: Authority, public_names: dict[str, str], target: str
) -> None:
    public_names["internal.example"] = "10.0.0.1"
    tls = authority.server("api.example")
    with (
        raw_server(lambda _, wire: wire.redirect(target), tls=tls) as server,
        raw_server(tunnel_to(server.port)) as proxy,
        Web(proxy=proxy.url, ca_file=authority.ca_file) as web,
    ):
        with pytest.raises(PawldError) as caught, web.get(Location("https://api.example/x")):
            pass
        assert isinstance(caught.value, RejectedError)
        assert caught.value.reason is Reason.REDIRECT_REFUSED
        assert proxy.targets == ["api.example:443"]


def test_a_name_that_only_the_proxy_can_resolve_is_the_proxys_to_judge(
    authority: Authority, public_names: dict[str, str]
) -> None:
    public_names |= {"api.example": "no.invalid", "cdn.example": "no.invalid"}
    tls = authority.server("api.example", "cdn.example")

    def handler(asked: Asked, wire: Wire) -> None:
        wire.redirect("https://cdn.example/y") if asked.target == "/x" else wire.answer(200, {}, b"bytes")

    with (
        raw_server(handler, tls=tls) as server,
        raw_server(tunnel_to(server.port)) as proxy,
        Web(proxy=proxy.url, ca_file=authority.ca_file, stall=timedelta(seconds=5)) as web,
        web.get(Location("https://api.example/x")) as answer,
    ):
        assert b"".join(answer.blocks()) == b"bytes"
        assert answer.origin == "https://cdn.example"


@pytest.mark.parametrize(
    "proxy", ["proxy.example:3128", "socks5://127.0.0.1:1080", "http://", "http://[::1", "http://h:x"]
)
def test_what_is_no_proxy_is_the_operators_to_mend(proxy: str) -> None:
    with pytest.raises(OperatorError) as caught:
        Web(proxy=proxy)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_proxy_over_tls_is_asked_over_tls(authority: Authority) -> None:
    with (
        raw_server(lambda _, wire: wire.answer(407), tls=authority.server()) as proxy,
        Web(proxy=proxy.url, ca_file=authority.ca_file) as web,
    ):
        with pytest.raises(TransientError, match="407"):
            web.call("GET", "https://api.example/")
        assert [one.method for one in proxy.asked] == ["CONNECT"]
