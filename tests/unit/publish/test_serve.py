"""The small web server: ranges, strong ETags, caching that suits a CDN, and nothing outside its directory."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.publish.serve import server
from pawld.reasons import Reason

DIGEST = "ab" * 32
BUILD = f"/targets/sha256/{DIGEST}"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    public = tmp_path / "public"
    (public / "targets/sha256").mkdir(parents=True)
    (public / "metadata").mkdir()
    (public / f"targets/sha256/{DIGEST}").write_bytes(bytes(range(100)))
    (public / "metadata/timestamp.json").write_bytes(b"{}")
    (public / "metadata/1.root.json").write_bytes(b"{}")
    (public / "metadata/.hidden").write_bytes(b"no")
    (tmp_path / "secret").write_bytes(b"no")
    (public / "metadata/link").symlink_to(tmp_path / "secret")
    with server(public, "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made.server_port
        made.shutdown()
        thread.join()


@pytest.mark.parametrize(("host", "other"), [("127.0.0.1", 0), ("203.0.113.9", 0), ("127.0.0.1", 80_000)])
def test_where_it_cannot_listen_is_told(port: int, host: str, other: int, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=rf"{host}:\d+ cannot be listened on: ") as caught:
        server(tmp_path / "public", host, other or port)
    assert caught.value.reason is Reason.USAGE


def test_a_directory_of_no_publisher_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="no publisher's directory") as caught:
        server(tmp_path / "public", "127.0.0.1", 0)
    assert caught.value.reason is Reason.CONFIG_MISSING


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_build_is_served_with_its_digest_as_etag_and_cached_for_ever(port: int) -> None:
    status, headers, body = ask(port, BUILD)
    assert (status, body) == (200, bytes(range(100)))
    assert headers["ETag"] == f'"{DIGEST}"'
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_timestamp_alone_is_asked_for_again(port: int) -> None:
    assert ask(port, "/metadata/timestamp.json")[1]["Cache-Control"].startswith("public, max-age=30, stale-while")
    assert "immutable" in ask(port, "/metadata/1.root.json")[1]["Cache-Control"]
    status, headers, _ = ask(port, "/metadata/2.root.json")
    assert (status, headers["Cache-Control"]) == (404, "public, max-age=30")


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=10-19", 10, 20), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100), ("bytes=50-999", 50, 100)],
)
def test_a_range_is_served_alone(port: int, asked: str, first: int, end: int) -> None:
    status, headers, body = ask(port, BUILD, Range=asked)
    assert (status, body) == (206, bytes(range(first, end)))
    assert headers["Content-Range"] == f"bytes {first}-{end - 1}/100"


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=30-20", "bytes=-0"])
def test_a_range_outside_is_refused_with_the_length(port: int, asked: str) -> None:
    status, headers, body = ask(port, BUILD, Range=asked)
    assert (status, headers["Content-Range"], body) == (416, "bytes */100", b"")


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=1-2", "bytes=-"])
def test_a_range_that_is_not_understood_gets_everything(port: int, asked: str) -> None:
    assert ask(port, BUILD, Range=asked)[0] == 200


def test_a_range_of_another_file_gets_everything(port: int) -> None:
    assert ask(port, BUILD, Range="bytes=10-19", If_Range=f'"{DIGEST}"')[0] == 206
    assert ask(port, BUILD, Range="bytes=10-19", If_Range='"other"')[0] == 200


def test_a_poll_for_what_is_known_costs_no_body(port: int) -> None:
    etag = ask(port, "/metadata/timestamp.json")[1]["ETag"]
    status, headers, body = ask(port, "/metadata/timestamp.json", If_None_Match=etag)
    assert (status, headers["ETag"], body) == (304, etag, b"")


def test_head_tells_the_length_without_the_bytes(port: int) -> None:
    status, headers, body = ask(port, BUILD, method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, "100", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/metadata",
        "/metadata/.hidden",
        "/metadata/link",
        "/../secret",
        "/metadata/../../secret",
        "/%2e%2e/secret",
        "/metadata/%00",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert (status, body) == (404, b"")
