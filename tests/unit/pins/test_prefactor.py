from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import now, secret
from support.vendors_prefactor import DEPLOYMENT_ID, VERSION_ID, FakePrefactor

from pawld.errors import OperatorError, PawldError, RejectedError
from pawld.model import Pinned, Platform
from pawld.pins.prefactor import PrefactorPin
from pawld.reasons import Reason
from pawld.system.http import Web

LINUX, MAC, WINDOWS = Platform("linux", "x86_64"), Platform("macos", "arm64"), Platform("windows", "x86_64")


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Iterator[FakePrefactor]:
    with FakePrefactor(httpserver) as vendor:
        yield vendor


def made(web: Web, vendor: FakePrefactor, folder: Path, **changes: Any) -> PrefactorPin:
    what = {"deployment_id": DEPLOYMENT_ID} if not {"deployment_id", "agent_version_id"} & changes.keys() else {}
    return PrefactorPin(web, secret(folder, "prefactor-token"), now, base_url=vendor.url, **what, **changes)


@pytest.fixture
def pin(web: Web, vendor: FakePrefactor, tmp_path: Path) -> PrefactorPin:
    return made(web, vendor, tmp_path)


def fails(pin: PrefactorPin, platform: Platform = LINUX) -> PawldError:
    with pytest.raises(PawldError) as caught:
        pin.wanted(platform)
    return caught.value


def test_a_deployment_pins_its_current_version(pin: PrefactorPin, vendor: FakePrefactor) -> None:
    assert pin.wanted(LINUX) == Pinned(
        "1.8.3",
        f"Prefactor deployment {DEPLOYMENT_ID}",
        facts={
            "agent_version": VERSION_ID,
            "external_identifier": "v1.8.3",
            "deployments": DEPLOYMENT_ID,
            "os": "linux",
            "runtime": "python@3.12",
        },
    )
    assert vendor.paths() == [
        f"GET /api/v1/agent_deployment/{DEPLOYMENT_ID}",
        f"GET /api/v1/agent_version/{VERSION_ID}",
    ]


def test_an_agent_version_is_pinned_by_its_id(web: Web, vendor: FakePrefactor, tmp_path: Path) -> None:
    pinned = made(web, vendor, tmp_path, agent_version_id=VERSION_ID, allow_downgrade=True).wanted(LINUX)
    assert pinned is not None
    assert pinned.by == f"Prefactor agent version {VERSION_ID}"
    assert pinned.allow_downgrade
    assert vendor.paths() == [f"GET /api/v1/agent_version/{VERSION_ID}"]


def test_a_cleared_pin_means_follow_the_channel(pin: PrefactorPin, vendor: FakePrefactor) -> None:
    vendor.deployment["current_version_id"] = None
    assert pin.wanted(LINUX) is None


def test_a_deployment_that_does_not_say_is_not_a_cleared_pin(pin: PrefactorPin, vendor: FakePrefactor) -> None:
    del vendor.deployment["current_version_id"]
    assert fails(pin).reason is Reason.ANSWER_NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("identifier", "version"),
    [
        ("v1.8.3", "1.8.3"),
        ("V1.8.3", "1.8.3"),
        ("1.8.3", "1.8.3"),
        ("vv1.8.3", "vv1.8.3"),
        ("vnext", "vnext"),
        ("4c7a1f0", "4c7a1f0"),
        (" v2 ", "2"),
    ],
)
def test_one_leading_v_is_stripped_and_the_rest_is_meant_exactly(
    pin: PrefactorPin, vendor: FakePrefactor, identifier: str, version: str
) -> None:
    vendor.version["external_identifier"] = identifier
    pinned = pin.wanted(LINUX)
    assert pinned is not None
    assert pinned.version == version


@pytest.mark.parametrize("identifier", [None, "", " ", "x" * 129, "1.8\n3", 183])
def test_an_identifier_that_cannot_be_a_version_is_refused(
    pin: PrefactorPin, vendor: FakePrefactor, identifier: object
) -> None:
    vendor.version["external_identifier"] = identifier
    assert fails(pin).reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_shared_identifier_is_ambiguous_unless_allowed(web: Web, vendor: FakePrefactor, tmp_path: Path) -> None:
    vendor.version["external_identifier_repeats"] = 2
    error = fails(made(web, vendor, tmp_path))
    assert isinstance(error, OperatorError)
    assert error.reason is Reason.PIN_AMBIGUOUS
    assert made(web, vendor, tmp_path, allow_ambiguous=True).wanted(LINUX) is not None


@pytest.mark.parametrize("repeats", [None, 0, 1])
def test_an_identifier_of_its_own_is_not_ambiguous(pin: PrefactorPin, vendor: FakePrefactor, repeats: object) -> None:
    vendor.version["external_identifier_repeats"] = repeats
    assert pin.wanted(LINUX) is not None


@pytest.mark.parametrize(
    ("system", "platform"),
    [
        ("linux", LINUX),
        ("Linux 6.1", LINUX),
        ("linux/amd64", LINUX),
        ("darwin", MAC),
        ("macOS 15", MAC),
        ("Mac OS X", MAC),
        ("windows", WINDOWS),
        ("win32", WINDOWS),
        ("", LINUX),
        (None, MAC),
    ],
)
def test_a_version_made_for_this_system_fits(
    pin: PrefactorPin, vendor: FakePrefactor, system: str | None, platform: Platform
) -> None:
    vendor.version["runtime_environment"] = {"os": system}
    assert pin.wanted(platform) is not None


@pytest.mark.parametrize(("system", "platform"), [("linux", MAC), ("darwin", LINUX), ("plan9", LINUX), ("10.15", MAC)])
def test_a_version_made_for_another_system_is_refused(
    pin: PrefactorPin, vendor: FakePrefactor, system: str, platform: Platform
) -> None:
    vendor.version["runtime_environment"] = {"os": system}
    error = fails(pin, platform)
    assert isinstance(error, OperatorError)
    assert error.reason is Reason.PIN_NOT_FOR_HOST
    assert system in error.message


def test_an_older_form_of_the_version_is_understood(pin: PrefactorPin, vendor: FakePrefactor) -> None:
    vendor.version = {"id": VERSION_ID, "external_identifier": "v1", "name": "x", "current_version": True}
    pinned = pin.wanted(LINUX)
    assert pinned is not None
    assert pinned.facts["deployments"] == "none"


@pytest.mark.parametrize(
    ("what", "field", "value"),
    [
        ("version", "id", DEPLOYMENT_ID),
        ("version", "type", "agent_deployment"),
        ("deployment", "id", VERSION_ID),
        ("deployment", "type", "agent_version"),
        ("deployment", "current_version_id", "latest"),
        ("deployment", "current_version_id", 7),
    ],
)
def test_an_answer_about_something_else_is_refused(
    pin: PrefactorPin, vendor: FakePrefactor, what: str, field: str, value: object
) -> None:
    vendor.says(
        200, {"status": "success", "details": vendor.deployment | ({field: value} if what == "deployment" else {})}
    )
    if what == "version":
        vendor.says(200, {"status": "success", "details": vendor.version | {field: value}})
    error = fails(pin)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.ANSWER_NOT_UNDERSTOOD


@pytest.mark.parametrize("status", ["pending", None, 7])
def test_only_success_is_a_success(pin: PrefactorPin, vendor: FakePrefactor, status: object) -> None:
    vendor.says(200, {"status": status, "details": vendor.deployment})
    assert fails(pin).reason is Reason.ANSWER_NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "bad_request", Reason.BAD_REQUEST),
        (401, "not_authenticated", Reason.UNAUTHORIZED),
        (403, "not_permitted", Reason.FORBIDDEN),
        (404, "not_found", Reason.NOT_FOUND),
        (500, "unexpected", Reason.SERVER_ERROR),
    ],
)
def test_a_refusal_has_its_reason_and_is_asked_once(
    pin: PrefactorPin, vendor: FakePrefactor, status: int, code: str, reason: Reason
) -> None:
    vendor.says(status, {"status": "error", "code": code, "message": "m"})
    assert fails(pin).reason is reason
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "value", ["", "V1.8.3", "8" + "0" * 31, "0" * 31, "0" * 33, "013xrzp12g3nqk8ns6jadrqmpgrjkenl"]
)
@pytest.mark.parametrize("name", ["deployment_id", "agent_version_id"])
def test_ids_are_checked_before_they_are_sent(
    web: Web, vendor: FakePrefactor, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(OperatorError) as caught:
        made(web, vendor, tmp_path, **{name: value})
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert not vendor.requests


@pytest.mark.parametrize("ids", [{}, {"deployment_id": DEPLOYMENT_ID, "agent_version_id": VERSION_ID}])
def test_a_pin_is_by_one_id(web: Web, tmp_path: Path, ids: dict[str, str]) -> None:
    with pytest.raises(OperatorError) as caught:
        PrefactorPin(web, secret(tmp_path, "x"), now, **ids)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_base_url_may_name_the_prefix(web: Web, vendor: FakePrefactor, tmp_path: Path) -> None:
    token = secret(tmp_path, "prefactor-token")
    pin = PrefactorPin(web, token, now, deployment_id=DEPLOYMENT_ID, base_url=f"{vendor.url}/api/v1/")
    assert pin.wanted(LINUX) is not None
