from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.records import build_record
from support.vendors import SHA_1, SHA_2, FakeScalepad, artifact, now, refusal, release, secret

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import NoBuild, Offer, Platform
from pawld.reasons import Reason
from pawld.sources.scalepad import ScalepadSource
from pawld.system.http import Web
from pawld.vendors.api import MOST_PAGES, Bearer
from pawld.vendors.scalepad import ScalepadApi

WINDOWS = Platform("windows", "x86_64")
MAC = Platform("macos", "arm64")
LINUX = Platform("linux", "x86_64")


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Iterator[FakeScalepad]:
    with FakeScalepad(httpserver) as vendor:
        yield vendor


@pytest.fixture
def source(web: Web, vendor: FakeScalepad, tmp_path: Path) -> ScalepadSource:
    return ScalepadSource(web, vendor.base_url, secret(tmp_path, "scalepad-token"), now)


def offered(source: ScalepadSource, platform: Platform = WINDOWS, version: str | None = None) -> Offer:
    offer = source.describe("stable", platform, version)
    assert isinstance(offer, Offer)
    return offer


def fails(source: ScalepadSource, platform: Platform = WINDOWS, version: str | None = None) -> PawldError:
    with pytest.raises(PawldError) as caught:
        source.describe("stable", platform, version)
    return caught.value


def test_the_channel_s_release_is_told_with_what_its_artifact_says(source: ScalepadSource) -> None:
    assert offered(source) == Offer(
        "1.8.3",
        SHA_1,
        12345678,
        "ScalepadAgent-1.8.3.msi",
        "https://github.com/Scalepad/scalepad-agent/releases/tag/v1.8.3",
        datetime(2026, 2, 24, 21, 23, 53, 82000, tzinfo=UTC),
    )


@pytest.mark.parametrize(("arch", "sha256"), [("arm64", SHA_2), ("x86_64", SHA_1)])
def test_macos_has_an_artifact_for_each_cpu(source: ScalepadSource, arch: str, sha256: str) -> None:
    assert offered(source, Platform("macos", arch)).sha256 == sha256


def test_a_pinned_version_is_asked_for_by_its_number(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.releases.append(release("1.7.0"))
    assert offered(source, version="1.7.0").version == "1.7.0"
    assert vendor.paths() == ["GET /v2/agent-releases/1.7.0"]


def test_a_channel_may_have_another_name_at_the_vendor(web: Web, vendor: FakeScalepad, tmp_path: Path) -> None:
    token = secret(tmp_path, "scalepad-token")
    source = ScalepadSource(web, vendor.base_url, token, now, channels={"beta": "latest"})
    source.describe("beta", WINDOWS, None)
    assert vendor.requests[0].args["channel"] == "latest"


def test_a_channel_that_the_vendor_does_not_have_is_a_bad_request(source: ScalepadSource) -> None:
    with pytest.raises(OperatorError) as caught:
        source.describe("beta", WINDOWS, None)
    assert caught.value.reason is Reason.BAD_REQUEST


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, OperatorError, Reason.BAD_REQUEST),
        (401, OperatorError, Reason.UNAUTHORIZED),
        (403, OperatorError, Reason.FORBIDDEN),
        (404, TransientError, Reason.NOT_FOUND),
        (429, TransientError, Reason.RATE_LIMITED),
        (500, TransientError, Reason.SERVER_ERROR),
        (503, TransientError, Reason.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("version", [None, "1.8.3"])
def test_each_documented_refusal_has_its_reason(
    source: ScalepadSource,
    vendor: FakeScalepad,
    status: int,
    kind: type[PawldError],
    reason: Reason,
    version: str | None,
) -> None:
    code = "not_found" if status == 404 else "other"
    vendor.says(status, refusal(code, "Agent release not found", version="1.8.3"))
    error = fails(source, version=version)
    assert (type(error), error.reason) == (kind, reason)
    assert len(vendor.requests) == 1


def test_html_instead_of_json_is_not_understood(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.says(200, "<html>Sign in to the network</html>")
    assert fails(source).reason is Reason.ANSWER_NOT_UNDERSTOOD


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "abcdef1234567890"},
        {"sha256": SHA_1 + "00"},
        {"sha256": "g" * 64},
        {"sha256": 7},
        {"size_bytes": 0},
        {"size_bytes": -1},
        {"size_bytes": "12345678"},
        {"filename": "../../etc/passwd"},
        {"filename": "a\x00b"},
        {"download_url": ["x"]},
    ],
)
def test_an_artifact_that_cannot_be_one_is_refused(
    source: ScalepadSource, vendor: FakeScalepad, wrong: dict[str, object]
) -> None:
    vendor.releases = [release("1.8.3", artifacts={"windows": artifact("1.8.3", "platform=windows") | wrong})]
    error = fails(source)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_digest_in_capitals_is_the_same_digest(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.releases = [release("1.8.3", artifacts={"windows": artifact("1.8.3", "", "AB" * 32)})]
    assert offered(source).sha256 == "ab" * 32


def test_whatever_may_be_null_may_be_null(source: ScalepadSource, vendor: FakeScalepad) -> None:
    nothing = dict.fromkeys(["filename", "content_type", "size_bytes", "sha256", "download_url"])
    vendor.releases = [release("1.8.3", notes_url=None, published_at=None, artifacts={"windows": nothing})]
    assert offered(source) == Offer("1.8.3")


@pytest.mark.parametrize("published_at", ["yesterday", "2026-02-24"])
def test_a_date_is_only_for_people(source: ScalepadSource, vendor: FakeScalepad, published_at: str) -> None:
    vendor.releases = [release("1.8.3", published_at=published_at)]
    assert offered(source).published_at in (None, datetime(2026, 2, 24, tzinfo=UTC))


@pytest.mark.parametrize(
    ("artifacts", "platform"),
    [
        ({"windows": None, "macos": None}, WINDOWS),
        ({}, WINDOWS),
        ({"windows": {}}, WINDOWS),
        ({"macos": {"x86_64": artifact("1.8.3", "")}}, MAC),
        ({"macos": {"arm64": None}}, MAC),
        ({"macos": None}, MAC),
    ],
)
def test_a_null_or_absent_artifact_is_no_build(
    source: ScalepadSource, vendor: FakeScalepad, artifacts: dict[str, object], platform: Platform
) -> None:
    vendor.releases = [release("1.8.3", artifacts=artifacts)]
    for answer in (source.describe("stable", platform, None), source.locate(build_record(platform=platform))):
        assert isinstance(answer, NoBuild)
        assert str(platform) in answer.message


@pytest.mark.parametrize("status", [400, 404])
def test_linux_is_asked_for_with_its_cpu_and_a_refusal_is_quietly_no_build(
    source: ScalepadSource, vendor: FakeScalepad, status: int
) -> None:
    vendor.releases = [release("1.8.3")]
    vendor.answers_first()
    vendor.says(status, refusal("not_found", "Agent artifact not found", platform="linux", arch="x86_64"))
    answer = source.describe("stable", LINUX, None)
    assert isinstance(answer, NoBuild)
    assert answer.message.startswith("ScalePad has no build for linux-x86_64.")
    assert vendor.paths()[-1] == "GET /v2/agent-releases/1.8.3/download"
    assert dict(vendor.requests[-1].args) == {"platform": "linux", "arch": "x86_64"}


def test_should_linux_come_one_day_it_is_found(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.linux = True
    assert offered(source, LINUX) == Offer(
        "1.8.3", None, None, None, offered(source).notes_url, offered(source).published_at
    )
    places = source.locate(build_record(platform=LINUX))
    assert not isinstance(places, NoBuild)
    assert places[0].url == f"{vendor.base_url}/agent-releases/1.8.3/download?platform=linux&arch=x86_64"


@pytest.mark.parametrize(("status", "reason"), [(401, Reason.UNAUTHORIZED), (500, Reason.SERVER_ERROR)])
def test_a_linux_question_that_fails_otherwise_is_a_failure(
    source: ScalepadSource, vendor: FakeScalepad, status: int, reason: Reason
) -> None:
    vendor.answers_first()
    vendor.says(status, {})
    assert fails(source, LINUX).reason is reason


def test_a_download_that_is_no_redirect_is_not_understood(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.answers_first()
    vendor.says(200, {})
    assert fails(source, LINUX).reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_without_the_metadata_calls_the_record_names_the_version(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.missing = {"latest", "release", "list"}
    assert offered(source) == Offer()
    assert offered(source, version="1.8.3") == Offer()
    places = source.locate(build_record(platform=WINDOWS))
    assert not isinstance(places, NoBuild)
    assert [one.url for one in places] == [f"{vendor.base_url}/agent-releases/1.8.3/download?platform=windows"]
    assert isinstance(source.locate(build_record(platform=LINUX)), NoBuild)


def test_metadata_without_artifacts_leaves_it_to_the_download(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.releases = [release("1.8.3", artifacts=None)]
    assert offered(source).sha256 is None
    places = source.locate(build_record(platform=MAC))
    assert not isinstance(places, NoBuild)
    assert places[0].url.endswith("/download?platform=macos&arch=arm64")


def test_without_the_call_for_the_latest_the_list_names_it(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.missing = {"latest"}
    vendor.releases = [release("1.8.4"), release("1.8.3")]
    assert offered(source).version == "1.8.4"


def test_without_the_call_for_one_version_the_list_is_searched_page_by_page(
    source: ScalepadSource, vendor: FakeScalepad
) -> None:
    vendor.missing = {"release"}
    vendor.releases = [release(f"1.8.{minor}") for minor in range(5, 0, -1)]
    assert offered(source, version="1.8.1").version == "1.8.1"
    assert [one.args.get("cursor") for one in vendor.requests[1:]] == [None, "2", "4"]
    assert fails(source, version="9.9.9").reason is Reason.NOT_FOUND


@pytest.mark.parametrize("last", [{"next_cursor": None}, {}, {"next_cursor": ""}])
def test_a_null_absent_or_empty_cursor_ends_the_list(
    web: Web, vendor: FakeScalepad, tmp_path: Path, last: dict[str, Any]
) -> None:
    api = ScalepadApi(web, vendor.base_url, Bearer(secret(tmp_path, "scalepad-token")), now)
    vendor.says(200, {"data": [release("1.8.3")], "total_count": 2, "next_cursor": "two"})
    vendor.says(200, {"data": [release("1.8.2")], "total_count": 2, **last})
    assert [one.version for one in api.releases("stable")] == ["1.8.3", "1.8.2"]
    assert not vendor.script


def test_a_list_without_end_is_refused(web: Web, vendor: FakeScalepad, tmp_path: Path) -> None:
    api = ScalepadApi(web, vendor.base_url, Bearer(secret(tmp_path, "scalepad-token")), now)
    for _ in range(MOST_PAGES):
        vendor.says(200, {"data": [], "total_count": 1, "next_cursor": "again"})
    with pytest.raises(RejectedError) as caught:
        list(api.releases("stable"))
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD
    assert len(vendor.requests) == MOST_PAGES


@pytest.mark.parametrize("version", ["latest", "../x", "a/b", "", "1.8.3 beta"])
def test_a_version_that_would_lead_elsewhere_is_not_asked_for(
    source: ScalepadSource, vendor: FakeScalepad, version: str
) -> None:
    assert fails(source, version=version).reason is Reason.PIN_UNSATISFIED
    assert not vendor.requests


@pytest.mark.parametrize("version", ["latest", "a/b", ""])
def test_a_release_that_calls_itself_something_impossible_is_refused(
    source: ScalepadSource, vendor: FakeScalepad, version: str
) -> None:
    vendor.releases = [release(version)]
    assert fails(source).reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_another_release_than_the_one_asked_for_is_refused(source: ScalepadSource, vendor: FakeScalepad) -> None:
    vendor.says(200, release("1.8.4"))
    assert "1.8.4 where 1.8.3 was asked for" in fails(source, version="1.8.3").message


def located(source: ScalepadSource, vendor: FakeScalepad, download_url: str) -> list[tuple[str, bool]]:
    vendor.releases = [release("1.8.3", artifacts={"windows": artifact("1.8.3", "", download_url=download_url)})]
    places = source.locate(build_record(platform=WINDOWS))
    assert not isinstance(places, NoBuild)
    return [(one.url, "Authorization" in one.headers) for one in places]


def test_a_relative_download_url_is_resolved_against_the_origin(source: ScalepadSource, vendor: FakeScalepad) -> None:
    found = located(source, vendor, "/v2/agent-releases/1.8.3/download?platform=windows")
    assert found == [(f"{vendor.url}/v2/agent-releases/1.8.3/download?platform=windows", True)]


def test_an_absolute_download_url_elsewhere_gets_no_credential(
    web: Web, source: ScalepadSource, vendor: FakeScalepad, tmp_path: Path
) -> None:
    found = located(source, vendor, "https://cdn.example.com/agent.msi?signature=x")
    assert found[0] == ("https://cdn.example.com/agent.msi?signature=x", False)
    assert found[1] == (f"{vendor.base_url}/agent-releases/1.8.3/download?platform=windows", True)


def test_the_alias_latest_is_never_fetched_through(source: ScalepadSource, vendor: FakeScalepad) -> None:
    found = located(source, vendor, "/v2/agent-releases/latest/download?platform=windows")
    assert [url for url, _ in found] == [f"{vendor.base_url}/agent-releases/1.8.3/download?platform=windows"]


@pytest.mark.parametrize(
    "url", ["http://cdn.example.com/a", "file:///etc/shadow", "//user@cdn.example.com/a", "//[", "/a\nb"]
)
def test_a_download_url_that_nothing_is_fetched_from_is_refused(
    source: ScalepadSource, vendor: FakeScalepad, url: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        located(source, vendor, url)
    assert caught.value.reason is Reason.REDIRECT_REFUSED


def test_without_a_token_nothing_is_sent(web: Web, vendor: FakeScalepad) -> None:
    vendor.token = None
    source = ScalepadSource(web, vendor.base_url, None, now, final_hosts=["downloads.example.com"])
    places = source.locate(build_record(platform=WINDOWS))
    assert not isinstance(places, NoBuild)
    assert dict(places[0].headers) == {}
    assert places[0].final_hosts == ("downloads.example.com",)
