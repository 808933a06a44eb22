"""The demonstration's vendor behaves as the story needs it: it asks for its token, refuses strays, cuts and resumes."""

import http.client
import json
import time
from collections.abc import Iterator

import pytest

from pawld.demo import vendor as vendors
from pawld.demo.vendor import Vendor

BUILD = bytes(range(256)) * 1000


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor("linux", "x86_64")
    made.publish("1.0.0", "acme-agent-1.0.0.tar.zst", BUILD)
    content = vendors.serve(vendors.Content, made)
    made.content_url = vendors.url_of(content)
    yield made
    content.shutdown()
    content.server_close()


@pytest.fixture
def interface(vendor: Vendor) -> Iterator[str]:
    server = vendors.serve(vendors.Interface, vendor)
    yield vendors.url_of(server)
    server.shutdown()
    server.server_close()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", f"/{path}", headers=headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_metadata_names_the_release_and_where_its_bytes_are(vendor: Vendor, interface: str) -> None:
    token = f"Bearer {vendor.token}"
    for name in ("latest", "1.0.0"):
        status, _, body = get(f"{interface}/v2/agent-releases/{name}?channel=stable", Authorization=token)
        release = json.loads(body)
        assert (status, release["version"], release["channel"]) == (200, "1.0.0", "stable")
        assert release["artifacts"]["linux"]["x86_64"]["download_url"].startswith("/v2/agent-releases/1.0.0/download?")


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("v2/agent-releases/latest", "wrong", 401),
        ("v2/agent-releases/9.9.9", None, 404),
        ("v2/elsewhere", None, 404),
    ],
)
def test_a_stranger_and_a_stray_are_refused_in_the_vendors_form(
    vendor: Vendor, interface: str, path: str, token: str | None, status: int
) -> None:
    answered, _, body = get(f"{interface}/{path}", Authorization=f"Bearer {token or vendor.token}")
    assert answered == status
    assert json.loads(body)["error"].keys() == {"code", "message", "details"}


def test_a_download_is_redirected_to_a_signed_address_elsewhere(vendor: Vendor, interface: str) -> None:
    url = f"{interface}/v2/agent-releases/1.0.0/download"
    status, headers, _ = get(url, Authorization=f"Bearer {vendor.token}")
    assert (status, vendor.redirects) == (302, 1)
    assert headers["Location"].startswith(f"{vendor.content_url}/agent/1.0.0?signature=")


def test_the_content_network_sends_ranges_and_refuses_credentials(vendor: Vendor) -> None:
    url = f"{vendor.content_url}/agent/1.0.0"
    assert get(url)[::2] == (200, BUILD)
    status, headers, rest = get(url, Range="bytes=1000-")
    assert (status, rest) == (206, BUILD[1000:])
    assert headers["Content-Range"] == f"bytes 1000-{len(BUILD) - 1}/{len(BUILD)}"
    assert get(url, Authorization="Bearer x")[0] == 404
    assert vendor.leaked == 1


def test_a_line_that_is_to_be_cut_is_cut_once(vendor: Vendor) -> None:
    url = f"{vendor.content_url}/agent/1.0.0"
    vendor.cut_after = 70_000
    with pytest.raises(http.client.IncompleteRead) as raised:
        get(url)
    assert len(raised.value.partial) == 70_000
    assert get(url)[2] == BUILD
    for _ in range(200):  # it counts a block once it is written, which the reader may see first
        if vendor.sent == 70_000 + len(BUILD):
            break
        time.sleep(0.01)
    assert vendor.sent == 70_000 + len(BUILD)
