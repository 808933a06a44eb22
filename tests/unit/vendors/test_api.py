import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import FakeScalepad, now, secret

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.api import LIMIT, Anonymous, Api, Auth, Bearer, segment

LATEST = "/agent-releases/latest"


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Iterator[FakeScalepad]:
    with FakeScalepad(httpserver) as vendor:
        yield vendor


@pytest.fixture
def bearer(tmp_path: Path) -> Bearer:
    return Bearer(secret(tmp_path, "scalepad-token"))


def api(web: Web, vendor: FakeScalepad, auth: Auth) -> Api:
    return Api(web, "ScalePad", vendor.base_url, auth, now)


def test_an_answer_is_a_json_object(web: Web, vendor: FakeScalepad, bearer: Bearer) -> None:
    assert api(web, vendor, bearer).get(LATEST, {"channel": "stable"})["version"] == "1.8.3"
    assert vendor.requests[0].headers["Accept"] == "application/json"


def test_a_refused_token_is_named_by_its_file_and_not_by_its_value(
    web: Web, vendor: FakeScalepad, tmp_path: Path
) -> None:
    vendor.token = "another"
    with pytest.raises(OperatorError) as caught:
        api(web, vendor, Bearer(secret(tmp_path, "st4le"))).get(LATEST)
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert str(tmp_path / "token") in caught.value.message
    assert "st4le" not in caught.value.message
    assert len(vendor.requests) == 1


def test_a_vendor_that_repeats_the_token_is_not_quoted_with_it(web: Web, vendor: FakeScalepad, bearer: Bearer) -> None:
    vendor.says(403, {"error": {"code": "x", "message": "the token scalepad-token may not"}})
    with pytest.raises(OperatorError) as caught:
        api(web, vendor, bearer).get(LATEST)
    assert caught.value.reason is Reason.FORBIDDEN
    assert "the token (hidden) may not" in caught.value.message


def test_no_token_is_said_to_be_missing(web: Web, vendor: FakeScalepad) -> None:
    with pytest.raises(OperatorError, match="no token is configured"):
        api(web, vendor, Anonymous()).get(LATEST)


def test_a_redirect_takes_no_credential_anywhere(web: Web, vendor: FakeScalepad, bearer: Bearer) -> None:
    vendor.says(302, "", {"Location": "/v2/elsewhere"})
    with pytest.raises(TransientError) as caught:
        api(web, vendor, bearer).get(LATEST)
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD
    assert len(vendor.requests) == 1


def test_an_answer_without_end_is_not_read_to_it(web: Web, vendor: FakeScalepad, bearer: Bearer) -> None:
    vendor.says(200, {"data": "x" * LIMIT})
    with pytest.raises(TransientError) as caught:
        api(web, vendor, bearer).get(LATEST)
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_rate_limit_says_when_to_come_back(web: Web, vendor: FakeScalepad, bearer: Bearer) -> None:
    vendor.says(429, "Too many requests", {"Retry-After": "7"})
    with pytest.raises(TransientError) as caught:
        api(web, vendor, bearer).get(LATEST)
    assert caught.value.reason is Reason.RATE_LIMITED
    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 7


def test_a_token_that_no_header_may_carry_is_not_sent(web: Web, vendor: FakeScalepad, tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        api(web, vendor, Bearer(secret(tmp_path, "geheim-ß"))).get(LATEST)
    assert caught.value.reason is Reason.SECRET_MISSING
    assert not vendor.requests


@pytest.mark.parametrize(
    "url", ["http://api.example.com/v2", "ftp://api.example.com", "https://user@x.example", "https://x.example/?a=b"]
)
def test_a_base_url_that_would_leak_or_mislead_is_refused(web: Web, url: str) -> None:
    with pytest.raises(OperatorError) as caught:
        Api(web, "ScalePad", url, Anonymous(), now)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_no_credential_is_ever_logged(
    web: Web, vendor: FakeScalepad, bearer: Bearer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vendor.says(500, "broken")
    one = api(web, vendor, bearer)
    with pytest.raises(PawldError):
        one.get(LATEST)
    one.get(LATEST)
    assert "scalepad-token" not in caplog.text + repr(bearer) + repr(one)


def test_a_segment_of_a_path_cannot_become_two() -> None:
    assert segment("../a/b c") == "..%2Fa%2Fb%20c"


def test_bearer_and_anonymous_have_nothing_to_renew(bearer: Bearer) -> None:
    assert not bearer.renew()
    assert not Anonymous().renew()
