from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawld.settings import units


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("2m", timedelta(minutes=2)),
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text: str, length: Any) -> None:
    assert units.read_duration(text) == length


@pytest.mark.parametrize(
    "value", ["90", 90, 1.5, True, None, "", "1 h", "1h30m", "-1h", "0s", "1w", "9999d", "1\uff11h", []]
)
def test_anything_else_is_no_duration_and_the_sentence_shows_one(value: Any) -> None:
    with pytest.raises(ValueError, match='such as "90s", "1h" or "7d"'):
        units.read_duration(value)


@pytest.mark.parametrize(
    ("text", "size"), [("1B", 1), ("2KiB", 2048), ("512MiB", 512 << 20), ("3GiB", 3 << 30), ("0B", 0)]
)
def test_a_size_is_a_number_with_a_binary_unit(text: str, size: int) -> None:
    assert units.read_size(text) == size


@pytest.mark.parametrize("value", [512, "512", "512MB", "1.5GiB", "512 MiB", "-1B", None])
def test_anything_else_is_no_size(value: Any) -> None:
    with pytest.raises(ValueError, match='such as "512MiB"'):
        units.read_size(value)


def test_a_rate_is_a_size_per_second() -> None:
    assert units.read_rate("2MiB/s") == 2 << 20


@pytest.mark.parametrize("value", ["2MiB", "2MiB/m", "0B/s", "/s", 2, None])
def test_anything_else_is_no_rate(value: Any) -> None:
    with pytest.raises(ValueError, match='such as "2MiB/s"'):
        units.read_rate(value)


@given(st.integers(min_value=1, max_value=3660 * 86400))
def test_a_duration_reads_back_as_it_is_shown(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert units.read_duration(units.shown_duration(length)) == length


@given(st.integers(min_value=1, max_value=10**9 - 1))
def test_a_size_and_a_rate_read_back_as_they_are_shown(size: int) -> None:
    assert units.read_size(units.shown_size(size)) == size
    assert units.read_rate(units.shown_rate(size)) == size


@pytest.mark.parametrize(
    "url", ["https://example.com/v2", "http://127.0.0.1:4001", "http://localhost:8125/health", "http://[::1]:80/"]
)
def test_an_address_is_https_or_loopback(url: str) -> None:
    assert units.checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "example.com",
        "https://",
        "https:///path",
        "https://user:pass@example.com/",
        "https://exa mple.com/",
        "https://example.com/\n",
        "https://example.com:99999/",
        "https://[::1/",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        units.checked_url(url)


def test_a_template_fills_in_known_words_alone() -> None:
    assert units.checked_template("https://example.com/{version}/{filename}")
    with pytest.raises(ValueError, match=r"\{verson\} is not filled in here"):
        units.checked_template("https://example.com/{verson}")


def test_a_proxy_may_be_spoken_to_in_the_clear_but_has_no_password_in_its_address() -> None:
    assert units.checked_proxy("http://proxy.example:3128")
    with pytest.raises(ValueError, match="user name or password"):
        units.checked_proxy("http://me:secret@proxy.example:3128")
    with pytest.raises(ValueError, match="a proxy is"):
        units.checked_proxy("ftp://proxy.example:3128")


def test_a_command_has_a_program_and_fills_in_known_words_alone() -> None:
    assert units.checked_command(("{current}/bin/acme", "{version}"))
    with pytest.raises(ValueError, match="a list of a program"):
        units.checked_command(())
    with pytest.raises(ValueError, match=r"\{home\} is not filled in here"):
        units.checked_command(("{home}/acme",))


def test_a_mirror_may_be_a_proxy_near_this_host_and_has_no_credentials() -> None:
    assert units.checked_mirror("proxy+http://127.0.0.1:4001") == "proxy+http://127.0.0.1:4001"
    with pytest.raises(ValueError, match="user name or password"):
        units.checked_mirror("proxy+http://me:secret@127.0.0.1:4001")
    with pytest.raises(ValueError, match="a proxy is"):
        units.checked_mirror("proxy+ftp://127.0.0.1:4001")
