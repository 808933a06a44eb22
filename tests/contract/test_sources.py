"""One suite for every source: what the lifecycle relies on, whichever interface there is.

Each adapter talks to a local server that answers as its documents say, and that fails the test on an undocumented
call, parameter or method. A second origin holds the bytes, and fails the test on any credential.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from support.records import build_record
from support.vendors import FakeScalepad, FakeStatic, FakeVendor, artifact, now, release, secret
from support.vendors_huawei import JOB_RUN, PIPELINE, PROJECT, RUN, TOKEN, FakePipeline

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import NoBuild, Offer, Platform, Record
from pawld.ports import Source
from pawld.reasons import Reason
from pawld.sources.codearts import CodeartsSource
from pawld.sources.manifest import ManifestSource
from pawld.sources.scalepad import ScalepadSource
from pawld.sources.tuf import TufSource
from pawld.system.http import Web
from pawld.vendors.huawei_auth import TokenAuth

BYTES = b"the build " * 1000
SHA = hashlib.sha256(BYTES).hexdigest()
LINUX, WINDOWS, NOWHERE = Platform("linux", "x86_64"), Platform("windows", "x86_64"), Platform("linux", "riscv64")


@dataclass
class House:
    """A source and the servers around it.

    Attributes:
        asks: what makes the source ask its server.
        unbuilt: a platform that it knows to have no build.
    """

    source: Source
    record: Record
    vendor: FakeVendor
    asks: Callable[[], object]
    unbuilt: Platform = NOWHERE
    secrets: tuple[str, ...] = ()


@dataclass
class Ground:
    """What a house is built on."""

    web: Web
    api: HTTPServer
    cdn: FakeStatic
    folder: Path


def scalepad(ground: Ground) -> House:
    vendor = FakeScalepad(ground.api, cdn=ground.cdn.url)
    told = artifact("1.8.3", "platform=windows", SHA, size_bytes=len(BYTES))
    vendor.releases = [release("1.8.3", artifacts={"windows": told})]
    ground.cdn.files["/agent/windows/1.8.3/ScalepadAgent"] = BYTES
    source = ScalepadSource(ground.web, vendor.base_url, secret(ground.folder, "scalepad-token"), now)
    record = build_record(platform=WINDOWS, sha256=SHA, length=len(BYTES))
    asks = lambda: source.describe("stable", WINDOWS, None)  # noqa: E731 - a value among others
    return House(source, record, vendor, asks, secrets=("scalepad-token", "se3ret"))


def codearts(ground: Ground) -> House:
    vendor = FakePipeline(ground.api)
    vendor.address = {"status": "success", "result": f"{ground.cdn.url}/agent?signature=se3ret"}
    ground.cdn.files["/agent"] = BYTES
    source = CodeartsSource(
        ground.web,
        vendor.url,
        TokenAuth(secret(ground.folder, TOKEN)),
        now,
        project_id=PROJECT,
        pipeline_id=PIPELINE,
        pipeline_run_id=RUN,
        job_run_id=JOB_RUN,
        arch_names={"x86_64": "x86_64", "arm64": "aarch64"},
    )
    record = build_record(sha256=SHA, length=len(BYTES))
    return House(source, record, vendor, lambda: source.locate(record), secrets=(TOKEN, "se3ret"))


def tuf(ground: Ground) -> House:
    vendor = FakeStatic(ground.api)
    vendor.files[f"/targets/acme/stable/{SHA}.linux-x86_64"] = BYTES
    record = build_record(sha256=SHA, length=len(BYTES))
    return House(TufSource(f"{vendor.url}/targets"), record, vendor, lambda: None)


def manifest(ground: Ground) -> House:
    vendor = FakeStatic(ground.api)
    told = {"schema": 1, "version": "1.8.3", "sha256": SHA, "length": len(BYTES), "filename": "acme-1.8.3.tar.gz"}
    vendor.files["/acme/stable/linux-x86_64.json"] = json.dumps(told).encode()
    vendor.files["/acme/stable/acme-1.8.3.tar.gz"] = BYTES
    source = ManifestSource(ground.web, vendor.url + "/acme/{channel}/{platform}.json", now)
    record = build_record(sha256=SHA, length=len(BYTES))
    return House(source, record, vendor, lambda: source.describe("stable", LINUX, None))


@pytest.fixture(scope="module")
def second_origin() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def ground(web: Web, httpserver: HTTPServer, second_origin: HTTPServer, tmp_path: Path) -> Iterator[Ground]:
    second_origin.clear()
    with FakeStatic(second_origin) as cdn:
        yield Ground(web, httpserver, cdn, tmp_path)


@pytest.fixture(params=[scalepad, codearts, manifest, tuf], ids=lambda build: build.__name__)
def house(request: pytest.FixtureRequest, ground: Ground) -> Iterator[House]:
    house: House = request.param(ground)
    with house.vendor:
        yield house


@pytest.fixture(params=[scalepad, codearts, manifest], ids=lambda build: build.__name__)
def asking(request: pytest.FixtureRequest, ground: Ground) -> Iterator[House]:
    """One that asks a server; the source ``tuf`` asks nobody, for the record says where the bytes are."""
    house: House = request.param(ground)
    with house.vendor:
        yield house


def test_an_offer_names_a_version_or_leaves_it_to_the_record(house: House) -> None:
    offer = house.source.describe("stable", house.record.platform, None)
    assert isinstance(offer, Offer)
    assert offer.version in (None, "1.8.3")
    assert offer.sha256 in (None, SHA)
    assert offer.length in (None, len(BYTES))


def test_a_version_that_a_pin_names_is_offered_and_no_other(house: House) -> None:
    offer = house.source.describe("stable", house.record.platform, "1.8.3")
    assert isinstance(offer, Offer)
    assert offer.version in (None, "1.8.3")


def test_the_same_question_has_the_same_answer(house: House) -> None:
    for _ in range(2):
        asked = [house.source.describe("stable", house.record.platform, None), house.source.locate(house.record)]
        assert asked == [
            house.source.describe("stable", house.record.platform, None),
            house.source.locate(house.record),
        ]


def test_the_bytes_are_where_it_says_and_no_credential_goes_astray(house: House, web: Web) -> None:
    places = house.source.locate(house.record)
    assert not isinstance(places, NoBuild)
    with web.get(places[0]) as answer:
        assert answer.status == 200
        assert b"".join(answer.blocks()) == BYTES


def test_every_place_is_absolute_and_its_credential_hidden(house: House) -> None:
    places = house.source.locate(house.record)
    assert not isinstance(places, NoBuild)
    for place in places:
        assert urlsplit(place.url).scheme in ("http", "https")
        assert urlsplit(place.url).netloc
        for value in place.headers.values():
            assert value not in repr(place)


@pytest.mark.parametrize("build", [scalepad, manifest])
def test_a_platform_without_a_build_is_an_answer_and_no_error(build: Callable[[Ground], House], ground: Ground) -> None:
    asking = build(ground)
    answer = asking.source.describe("stable", asking.unbuilt, None)
    assert isinstance(answer, NoBuild)
    assert str(asking.unbuilt) in answer.message or asking.unbuilt.arch in answer.message
    assert answer.message.endswith(".")


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (400, {}, OperatorError, Reason.BAD_REQUEST),
        (401, {}, OperatorError, Reason.UNAUTHORIZED),
        (403, {}, OperatorError, Reason.FORBIDDEN),
        (429, {}, TransientError, Reason.RATE_LIMITED),
        (500, {}, TransientError, Reason.SERVER_ERROR),
        (502, "<html>bad gateway</html>", TransientError, Reason.SERVER_ERROR),
        (503, {}, TransientError, Reason.SERVER_ERROR),
        (200, "<html>sign in</html>", TransientError, Reason.ANSWER_NOT_UNDERSTOOD),
        (200, [], TransientError, Reason.ANSWER_NOT_UNDERSTOOD),
    ],
)
def test_each_failure_of_the_server_has_its_reason_and_tells_no_secret(
    asking: House, status: int, body: object, kind: type[PawldError], reason: Reason
) -> None:
    asking.vendor.says(status, body, {"Retry-After": "7"})
    with pytest.raises(PawldError) as caught:
        asking.asks()
    assert type(caught.value) is kind
    assert caught.value.reason is reason
    assert len(asking.vendor.requests) == 1
    assert caught.value.message.rstrip().endswith(".")
    assert not [one for one in asking.secrets if one in caught.value.message]
    if status in (429, 503):
        assert caught.value.retry_after is not None


def test_a_document_of_the_wrong_shape_is_refused(asking: House) -> None:
    asking.vendor.says(200, {"version": ["1.8.3"], "artifacts": 7, "result": 7})
    with pytest.raises((RejectedError, TransientError)) as caught:
        asking.asks()
    assert caught.value.reason in (Reason.ANSWER_NOT_UNDERSTOOD, Reason.NO_ADDRESS)
