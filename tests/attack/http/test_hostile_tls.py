"""Certificates and TLS versions that prove nothing."""

import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from support.authority import Authority
from support.raw_server import raw_server

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Web


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def web(authority: Authority) -> Iterator[Web]:
    with Web(ca_file=authority.ca_file, stall=timedelta(seconds=2)) as client:
        yield client


def refused(web: Web, tls: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    with raw_server(lambda _, wire: wire.answer(200), tls=tls) as server:
        with pytest.raises(TransientError) as caught:
            web.call("GET", f"https://{host}:{server.port}/", headers={"Authorization": "Bearer s"})
        assert caught.value.reason is Reason.TLS_FAILED
        assert server.asked == []
    return caught.value.message


def test_a_certificate_of_the_configured_authority_is_accepted(web: Web, authority: Authority) -> None:
    with raw_server(lambda _, wire: wire.answer(200, {}, b"yes"), tls=authority.server()) as server:
        assert web.call("GET", server.url).body == b"yes"
        assert web.call("GET", server.url).body == b"yes"


def test_a_certificate_for_another_name_is_refused(web: Web, authority: Authority) -> None:
    assert "mismatch" in refused(web, authority.server("other.example"))
    assert "not valid for" in refused(web, authority.server("other.example"), "localhost")


def test_an_expired_certificate_is_refused(web: Web, authority: Authority) -> None:
    expired = authority.server(not_after=datetime(2020, 1, 1, tzinfo=UTC))
    assert "expired" in refused(web, expired)


def test_a_certificate_of_nobody_known_is_refused(web: Web, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    refused(web, Authority(tmp_path / "other").server())


def test_the_configured_authority_is_only_for_who_configured_it(authority: Authority) -> None:
    with Web() as plain:
        refused(plain, authority.server())


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
def test_tls_before_1_2_is_refused(web: Web, authority: Authority, version: str) -> None:
    old = authority.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion[version]
    old.set_ciphers("ALL:@SECLEVEL=0")
    assert "protocol" in refused(web, old)


def test_a_server_that_speaks_no_tls_is_refused(web: Web) -> None:
    def speak() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        speaking = Thread(target=speak, daemon=True)
        speaking.start()
        with pytest.raises(TransientError) as caught:
            web.call("GET", f"https://127.0.0.1:{listener.getsockname()[1]}/")
        speaking.join(5)
    assert caught.value.reason is Reason.TLS_FAILED


def test_an_authority_file_that_cannot_be_read_is_the_operators_to_mend(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for path in (broken, tmp_path / "missing.pem"):
        with Web(ca_file=path) as web, pytest.raises(OperatorError) as caught:
            web.call("GET", "https://127.0.0.1:1/")
        assert caught.value.reason is Reason.CONFIG_INVALID
        assert str(path) in caught.value.message
