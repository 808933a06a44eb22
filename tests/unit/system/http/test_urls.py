"""What a URL may look like, and how it is shown."""

import pytest

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.http import checked_url, shown
from pawld.system.http.urls import UrlError, address_of, following, is_loopback


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://user:secret@host.example:8443/a/b?token=secret#secret", "https://host.example:8443/a/b"),
        ("https://[::1]:99/x?y", "https://[::1]:99/x"),
        ("/only/a/path?secret", "/only/a/path"),
        ("https://[broken?secret", "(not a URL)"),
        ("https://host.example/a\r\nb\x1b[31m", "https://host.example/ab?[31m"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, text: str) -> None:
    assert shown(url) == text


@pytest.mark.parametrize(
    "url",
    [
        "https://updates.example.com/metadata",
        "https://updates.example.com:8443/x?q=1",
        "https://10.0.0.5/x",
        "https://[2001:db8::1]/x",
        "http://127.0.0.1:4001",
        "http://127.8.8.8/x",
        "http://[::1]:80/x",
        "http://localhost:8125/health",
    ],
)
def test_https_anywhere_and_http_on_loopback_are_usable(url: str) -> None:
    assert checked_url(url, "base_url") == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://updates.example.com/", "plain http"),
        ("http://localhost.example.com/", "plain http"),
        ("http://127.0.0.1.example.com/", "plain http"),
        ("http://2130706433/", "plain http"),
        ("file:///etc/shadow", "neither https"),
        ("ftp://127.0.0.1/x", "neither https"),
        ("updates.example.com", "neither https"),
        ("", "neither https"),
        ("https://user@host.example/", "user name"),
        ("https://user:pw@host.example/", "user name"),
        ("https://@host.example/", "user name"),
        ("https:///path", "no host"),
        ("https://host.example/a b", "control characters"),
        ("https://host.example/a\r\nX: y", "control characters"),
        ("https://host.example/\x85", "control characters"),
        ("https://host.example\\@other.example/", "control characters"),
        ("https://host.example:port/", "cannot be read"),
        ("https://host.example:99999/", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://[fe80::1%25eth0]/", "network interface"),
        ("https://[::g]/", "not an IPv6|cannot be read"),
        ("https://häst.example/", "xn-- form"),
        ("https://ho_st!.example/", "characters that no host name has"),
        (f"https://host.example/{'a' * 9000}", "longer than"),
    ],
)
def test_any_other_url_is_refused_with_its_reason(url: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why) as caught:
        checked_url(url, "base_url")
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert caught.value.message.startswith("base_url is not usable")
    assert "pw" not in caught.value.message


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c=d", "https://api.example/b?c=d"),
        ("b", "https://api.example/v2/b"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("https://CDN.example:443/x#fragment", "https://cdn.example/x"),
        ("https://cdn.example/ä%20b?sig=a%2Fb+c", "https://cdn.example/%C3%A4%20b?sig=a%2Fb+c"),
    ],
)
def test_a_location_is_resolved_as_the_standard_says(location: str, url: str) -> None:
    assert following(address_of("https://api.example/v2/a"), location).url == url


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "file:///etc/shadow",
        "http://cdn.example/x",
        "https://u:p@cdn.example/",
        "https://cdn.example/a\tb",
        "https://cdn.example/a\nb",
        "\x00https://cdn.example/",
        "https://[broken",
        "javascript:alert(1)",
    ],
)
def test_a_location_that_is_no_place_to_go_is_refused(location: str | None) -> None:
    with pytest.raises(UrlError):
        following(address_of("https://api.example/v2/a"), location)


def test_loopback_is_told_by_the_name_alone() -> None:
    assert is_loopback("LOCALHOST")
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert not is_loopback("localhost.example")
    assert not is_loopback("10.0.0.1")


def test_an_origin_has_the_port_only_where_it_is_not_the_usual() -> None:
    assert address_of("https://host.example:443/").origin == "https://host.example"
    assert address_of("https://[2001:db8::1]:8443/").origin == "https://[2001:db8::1]:8443"
