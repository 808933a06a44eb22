import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.records import build_record
from support.vendors import now, secret

from pawld.errors import OperatorError, PawldError, RejectedError
from pawld.model import Location, NoBuild, Offer, Platform
from pawld.reasons import Reason
from pawld.sources.manifest import LIMIT, ManifestSource
from pawld.system.http import Web

LINUX = Platform("linux", "x86_64")
MANIFEST: dict[str, Any] = {
    "schema": 1,
    "version": "1.8.3",
    "sha256": "0f" * 32,
    "length": 12345678,
    "filename": "acme-1.8.3.tar.gz",
}


def made(web: Web, server: HTTPServer, template: str = "/acme/{channel}/{platform}.json") -> ManifestSource:
    return ManifestSource(web, server.url_for("") + template, now, final_hosts=["cdn.example.com"])


def serve(server: HTTPServer, value: object = MANIFEST, status: int = 200) -> None:
    body = value if isinstance(value, str) else json.dumps(value)
    server.expect_request("/acme/stable/linux-x86_64.json", "GET").respond_with_data(body, status)


def test_a_manifest_on_a_static_host_tells_the_release(web: Web, httpserver: HTTPServer) -> None:
    serve(httpserver)
    offer = made(web, httpserver).describe("stable", LINUX, None)
    assert offer == Offer("1.8.3", "0f" * 32, 12345678, "acme-1.8.3.tar.gz")


def test_what_is_no_text_or_number_there_is_left_out(web: Web, httpserver: HTTPServer) -> None:
    serve(httpserver, {"version": "1.8.3", "sha256": 7, "length": True, "filename": None})
    assert made(web, httpserver).describe("stable", LINUX, None) == Offer("1.8.3")


@pytest.mark.parametrize("status", [404, 410])
def test_no_manifest_is_no_build(web: Web, httpserver: HTTPServer, status: int) -> None:
    serve(httpserver, "", status)
    answer = made(web, httpserver).describe("stable", LINUX, None)
    assert isinstance(answer, NoBuild)
    assert "linux-x86_64" in answer.message


@pytest.mark.parametrize(
    ("value", "status", "reason"),
    [
        ("<html>", 200, Reason.ANSWER_NOT_UNDERSTOOD),
        ({"schema": 1}, 200, Reason.ANSWER_NOT_UNDERSTOOD),
        ({"version": "1", "more": "x" * LIMIT}, 200, Reason.ANSWER_NOT_UNDERSTOOD),
        ("", 403, Reason.FORBIDDEN),
        ("", 500, Reason.SERVER_ERROR),
        ("", 429, Reason.RATE_LIMITED),
    ],
)
def test_each_failure_of_the_host_has_its_reason(
    web: Web, httpserver: HTTPServer, value: object, status: int, reason: Reason
) -> None:
    serve(httpserver, value, status)
    with pytest.raises(PawldError) as caught:
        made(web, httpserver).describe("stable", LINUX, None)
    assert caught.value.reason is reason


def test_the_build_lies_beside_the_manifest(web: Web, httpserver: HTTPServer) -> None:
    places = made(web, httpserver).locate(build_record(filename="acme+1.tar.gz"))
    url = httpserver.url_for("/acme/stable/acme%2B1.tar.gz")
    assert places == [Location(url, {}, ("cdn.example.com",))]


def test_the_signed_places_are_meant_beside_the_manifest(web: Web, httpserver: HTTPServer) -> None:
    listed = (
        Location("../builds/a", {}, ("x.example",)),
        Location("https://cdn.example.com/a", {}, (), mirror=True),
    )
    places = made(web, httpserver).locate(build_record(locations=listed))
    assert places == [
        Location(httpserver.url_for("/acme/builds/a"), {}, ("x.example",)),
        Location("https://cdn.example.com/a", {}, ("cdn.example.com",), mirror=True),
    ]


@pytest.mark.parametrize("url", ["http://cdn.example.com/a", "file:///etc/shadow", "//[", "a\tb://x"])
def test_a_place_that_nothing_is_fetched_from_is_refused(web: Web, httpserver: HTTPServer, url: str) -> None:
    with pytest.raises(RejectedError) as caught:
        made(web, httpserver).locate(build_record(locations=(Location(url),)))
    assert caught.value.reason is Reason.REDIRECT_REFUSED


def test_a_pinned_version_may_stand_in_the_address(web: Web, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/acme/1.8.3/m.json").respond_with_json(MANIFEST)
    source = made(web, httpserver, "/acme/{version}/m.json")
    assert source.describe("stable", LINUX, "1.8.3") == Offer("1.8.3", "0f" * 32, 12345678, "acme-1.8.3.tar.gz")
    with pytest.raises(OperatorError, match="needs the version") as caught:
        source.describe("stable", LINUX, None)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_without_a_manifest_a_template_says_where_the_bytes_lie(web: Web) -> None:
    source = ManifestSource(web, None, now, url="https://cdn.example.com/{version}/{platform}/{filename}")
    assert source.describe("stable", LINUX, "1.8.3") == Offer("1.8.3")
    assert source.locate(build_record()) == [Location("https://cdn.example.com/1.8.3/linux-x86_64/acme-1.8.3.tar.gz")]


def test_a_template_of_the_bytes_goes_before_what_the_manifest_lists(web: Web, httpserver: HTTPServer) -> None:
    source = ManifestSource(web, httpserver.url_for("/m.json"), now, url="https://cdn.example.com/{filename}")
    places = source.locate(build_record(locations=(Location("https://other.example.com/a"),)))
    assert places == [Location("https://cdn.example.com/acme-1.8.3.tar.gz")]


def test_a_token_goes_to_the_manifest_s_origin_alone(web: Web, httpserver: HTTPServer, tmp_path: Path) -> None:
    httpserver.expect_request("/m.json", headers={"Authorization": "Bearer t0ken"}).respond_with_json(MANIFEST)
    source = ManifestSource(web, httpserver.url_for("/m.json"), now, token=secret(tmp_path, "t0ken"))
    assert isinstance(source.describe("stable", LINUX, None), Offer)
    places = source.locate(build_record(locations=(Location("/a"), Location("https://other.example.com/a"))))
    assert isinstance(places, list)
    assert [dict(one.headers) for one in places] == [{"Authorization": "Bearer t0ken"}, {}]


def test_a_source_that_knows_no_place_is_a_mistake(web: Web) -> None:
    with pytest.raises(OperatorError) as caught:
        ManifestSource(web, None, now)
    assert caught.value.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize("template", ["/{secret}", "/{0}", "/{version.x}"])
def test_a_wrong_template_is_said_at_once(web: Web, httpserver: HTTPServer, template: str) -> None:
    with pytest.raises(OperatorError) as caught:
        made(web, httpserver, template)
    assert caught.value.reason is Reason.CONFIG_INVALID
