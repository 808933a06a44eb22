"""Every documented status, code and form of the five vendors, and what each one means here."""

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.vendors import NOW

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Headers, Reply
from pawld.system.http.readings import json_object
from pawld.vendors.faults import SHOWN_TEXT, Words, fault, plain, words

URL = "https://api.example.com/v2/agent-releases/latest?signature=se3ret"


def reply(status: int, value: object, **headers: str) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return Reply(status, Headers(raw), body, URL, json_object(body))


def read(status: int, value: object, **changes: Any) -> PawldError:
    error = fault(reply(status, value), "Vendor", now=NOW, **changes)
    assert error is not None
    return error


SCALEPAD = {"error": {"code": "not_found", "message": "Agent artifact not found", "details": {"platform": "macos"}}}
HTML = b"<html><body>Welcome to the hotel's network</body></html>"


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_with_a_json_object_is_no_fault(status: int) -> None:
    assert fault(reply(status, {"result": []}), "Vendor", now=NOW) is None


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (302, TransientError, Reason.ANSWER_NOT_UNDERSTOOD),
        (400, OperatorError, Reason.BAD_REQUEST),
        (401, OperatorError, Reason.UNAUTHORIZED),
        (402, OperatorError, Reason.FORBIDDEN),
        (403, OperatorError, Reason.FORBIDDEN),
        (404, TransientError, Reason.NOT_FOUND),
        (405, OperatorError, Reason.BAD_REQUEST),
        (407, OperatorError, Reason.UNAUTHORIZED),
        (408, TransientError, Reason.TIMED_OUT),
        (410, TransientError, Reason.NOT_FOUND),
        (422, OperatorError, Reason.BAD_REQUEST),
        (425, TransientError, Reason.SERVER_ERROR),
        (429, TransientError, Reason.RATE_LIMITED),
        (500, TransientError, Reason.SERVER_ERROR),
        (502, TransientError, Reason.SERVER_ERROR),
        (503, TransientError, Reason.SERVER_ERROR),
        (504, TransientError, Reason.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("body", [{}, HTML, b"", {"error": {"code": "new_code", "message": "m"}}])
def test_each_http_status_has_its_meaning_whatever_the_body(
    status: int, kind: type[PawldError], reason: Reason, body: object
) -> None:
    error = read(status, body)
    assert type(error) is kind
    assert error.reason is reason
    assert f"answered {status}" in error.message
    assert "se3ret" not in error.message


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("DEVPIPE.00011401", TransientError, Reason.NOT_FOUND),
        ("DEVPIPE.00011203", TransientError, Reason.NOT_FOUND),
        ("DEVPIPE.00011412", OperatorError, Reason.FORBIDDEN),
        ("DEVPIPE.00011136", OperatorError, Reason.BAD_REQUEST),
        ("DEVPIPE.00011104", TransientError, Reason.RATE_LIMITED),
        ("DEVPIPE.00011105", TransientError, Reason.RATE_LIMITED),
        ("DEVPIPE.00011169", TransientError, Reason.RATE_LIMITED),
        ("DEVPIPE.00011170", TransientError, Reason.RATE_LIMITED),
        ("DEVPIPE.99999999", TransientError, Reason.SERVER_ERROR),
        ("DEV_21_100169", OperatorError, Reason.FORBIDDEN),
        ("DEV.00000001", OperatorError, Reason.UNAUTHORIZED),
        ("PARSE_REQUEST_DATA_EXCEPTION", OperatorError, Reason.BAD_REQUEST),
        ("APIGW.0101", TransientError, Reason.NOT_FOUND),
        ("CC.00000000", TransientError, Reason.SERVER_ERROR),
        ("CC.00000003", OperatorError, Reason.UNAUTHORIZED),
        ("CC.12345678.400", OperatorError, Reason.BAD_REQUEST),
    ],
)
@pytest.mark.parametrize("form", ["flat", "nested", "sdk"])
def test_each_code_of_huawei_counts_inside_http_200_in_all_its_forms(
    code: str, kind: type[PawldError], reason: Reason, form: str
) -> None:
    body = {
        "flat": {"error_code": code, "error_msg": "m"},
        "nested": {"error": {"code": code, "message": "m"}, "status": "failed"},
        "sdk": {"errorCode": code, "errorMsg": "m"},
    }[form]
    error = read(200, body)
    assert (type(error), error.reason) == (kind, reason)
    assert f"{code}: m" in error.message


def test_a_concurrency_limit_can_be_retried_under_whatever_status() -> None:
    body = {"error": {"code": "DEVPIPE.00011169", "message": "queued", "pipeline_run_id": "x", "queue_id": "y"}}
    for status in (200, 400, 404, 500):
        assert read(status, body).reason is Reason.RATE_LIMITED


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("bad_request", OperatorError, Reason.BAD_REQUEST),
        ("bad_authtoken", OperatorError, Reason.UNAUTHORIZED),
        ("not_authenticated", OperatorError, Reason.UNAUTHORIZED),
        ("not_permitted", OperatorError, Reason.FORBIDDEN),
        ("not_implemented", OperatorError, Reason.BAD_REQUEST),
        ("unknown", TransientError, Reason.SERVER_ERROR),
        ("not_found", TransientError, Reason.NOT_FOUND),
        ("unexpected_ref_type", OperatorError, Reason.BAD_REQUEST),
        ("unexpected", TransientError, Reason.SERVER_ERROR),
        ("invalid_action", OperatorError, Reason.BAD_REQUEST),
        ("invalid_value", OperatorError, Reason.BAD_REQUEST),
        ("required_value", OperatorError, Reason.BAD_REQUEST),
        ("idempotency_key_already_used", OperatorError, Reason.BAD_REQUEST),
        ("a_code_of_the_future", TransientError, Reason.SERVER_ERROR),
    ],
)
def test_each_code_of_prefactor_counts_whatever_status_it_comes_with(
    code: str, kind: type[PawldError], reason: Reason
) -> None:
    body = {"status": "error", "code": code, "message": "m"}
    assert (type(read(200, body)), read(200, body).reason) == (kind, reason)
    if code != "a_code_of_the_future":
        assert read(400, body).reason is reason


def test_prefactor_s_second_form_names_the_fields() -> None:
    body = {"status": "error", "code": "validation_errors", "message": "no", "errors": {"name": ["x"], "id": ["y"]}}
    error = read(422, body)
    assert error.reason is Reason.BAD_REQUEST
    assert "(id, name)" in error.message


def test_scalepad_s_form_is_told_with_its_code_and_message() -> None:
    error = read(404, SCALEPAD)
    assert error.reason is Reason.NOT_FOUND
    expected = "Vendor answered 404 for https://api.example.com/v2/agent-releases/latest, not_found: Agent artifact"
    assert error.message == f"{expected} not found."


@pytest.mark.parametrize(
    ("http_status", "kind", "reason"),
    [
        ("BAD_REQUEST", OperatorError, Reason.BAD_REQUEST),
        ("INTERNAL_SERVER_ERROR", TransientError, Reason.SERVER_ERROR),
        (None, TransientError, Reason.SERVER_ERROR),
    ],
)
def test_codearts_check_fails_inside_http_200(http_status: str | None, kind: type[PawldError], reason: Reason) -> None:
    error = read(200, {"httpStatus": http_status, "status": "error", "result": None})
    assert (type(error), error.reason) == (kind, reason)


@pytest.mark.parametrize(
    "body",
    [
        {"error": None, "status": "success"},
        {"error": {}, "status": "success"},
        {"error": {"code": None, "message": ""}, "status": "success"},
        {"error_code": "", "error_msg": ""},
        {"status": "COMPLETED", "code": "x", "message": "a field of a success"},
        {"result": {"error": {"code": "x", "message": "a step's own error"}}},
    ],
)
def test_an_empty_error_in_a_success_is_none(body: dict[str, object]) -> None:
    assert fault(reply(200, body), "Vendor", now=NOW) is None


def test_an_error_as_a_text_is_one() -> None:
    assert words(reply(200, {"error": "invalid_token"})) == Words("invalid_token", "")


def test_in_a_failure_huawei_s_sdk_looks_deeper_and_so_does_this() -> None:
    assert words(reply(500, {"code": 7, "message": "m"})) == Words("7", "m")
    assert words(reply(500, {"data": [], "inner": {"error_code": "C", "error_msg": "m"}})) == Words("C", "m")
    deep: dict[str, object] = {"error_code": "C"}
    for _ in range(900):
        deep = {"deeper": deep}
    assert words(reply(500, deep)) is None


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b'"text"', b"\xff\xfe\x00", b"[" * 100_000])
def test_anything_but_a_json_object_is_not_understood(body: bytes) -> None:
    assert json_object(body) is None
    error = fault(reply(200, body, content_type="text/html; charset=x"), "Vendor", now=NOW)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.ANSWER_NOT_UNDERSTOOD
    assert "with text/html where a JSON object was due" in error.message


def test_a_redirect_where_json_was_due_is_not_followed() -> None:
    assert "with a redirect where a JSON object was due" in read(302, b"").message


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        (429, "5", timedelta(seconds=5)),
        (503, "120", timedelta(minutes=2)),
        (429, "Thu, 01 Jan 2026 00:01:00 GMT", timedelta(minutes=1)),
        (503, "Wed, 31 Dec 2025 00:00:00 GMT", timedelta(0)),
        (429, "999999999", timedelta(hours=24)),
        (503, "Thu, 01 Jan 2037 00:00:00 GMT", timedelta(hours=24)),
        (429, "soon", None),
        (500, "5", None),
    ],
)
def test_retry_after_is_honoured_on_429_and_503_and_capped(status: int, value: str, expected: timedelta | None) -> None:
    error = fault(reply(status, b"slow down", retry_after=value), "Vendor", now=NOW)
    assert error is not None
    assert error.retry_after == expected


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_named_by_its_place(status: int) -> None:
    message = read(status, {}, credential="the file /etc/pawld/acme.token").message
    assert message.endswith("The credential comes from the file /etc/pawld/acme.token.")


def test_what_a_vendor_says_shows_no_credential_query_or_control_character() -> None:
    said = "bad token t0p-se3ret\x1b[31m\nsee https://x.example/a?sig=abc#f now"
    message = read(401, {"error_code": "C\x07", "error_msg": said}, hidden=["t0p-se3ret", "", "a"]).message
    assert "C: bad token (hidden)[31m see https://x.example/a now" in message


@pytest.mark.parametrize("word", ["中", "中 ", "ab "])
def test_a_story_of_a_megabyte_takes_no_more_memory_than_itself(word: str) -> None:
    story = word * 300_000
    tracemalloc.start()
    try:
        assert len(plain(story, SHOWN_TEXT, ["secret"])) <= SHOWN_TEXT
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_what_a_turned_reader_tells_of_a_refusal_is_shown_whatever_it_is() -> None:
    told = Reply(500, Headers([]), b"{}", "https://x.example/", {"error": b"\xff"})
    found = fault(told, "Acme", now=NOW)
    assert found is not None
    assert "xff" in found.message


def test_a_long_story_is_cut_short() -> None:
    assert len(plain("x" * 10_000, SHOWN_TEXT)) == SHOWN_TEXT


QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize(
    "said",
    [
        (
            "Incorrect app authentication information: signature expired, signature time:20230527T000431Z,"
            "server time:20230527T020608Z"
        ),
        "Incorrect IAM authentication information: x-sdk-date has expired",
    ],
)
def test_a_signature_that_the_gateway_calls_expired_is_a_wrong_clock(said: str) -> None:
    body = {"error_code": "APIGW.0303", "error_msg": said, "request_id": "x"}
    assert read(401, body, clock_tolerance=QUARTER).reason is Reason.CREDENTIAL_CLOCK
    assert read(401, body).reason is Reason.UNAUTHORIZED


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        (0, Reason.UNAUTHORIZED),
        (14, Reason.UNAUTHORIZED),
        (16, Reason.CREDENTIAL_CLOCK),
        (-16, Reason.CREDENTIAL_CLOCK),
    ],
)
def test_the_gateway_s_own_date_shows_a_wrong_clock(minutes: int, reason: Reason) -> None:
    theirs = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    refused = reply(401, {"error_code": "APIGW.0301"}, date=theirs.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    error = fault(refused, "Vendor", now=NOW, clock_tolerance=QUARTER)
    assert error is not None
    assert error.reason is reason


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_date_that_cannot_be_read_accuses_no_clock(date: str) -> None:
    error = fault(reply(403, {}, date=date), "Vendor", now=NOW, clock_tolerance=QUARTER)
    assert error is not None
    assert error.reason is Reason.FORBIDDEN


def test_a_date_without_a_zone_is_utc() -> None:
    error = fault(reply(401, {}, date="Thu, 01 Jan 2026 00:00:00 -0000"), "Vendor", now=NOW, clock_tolerance=QUARTER)
    assert error is not None
    assert error.reason is Reason.UNAUTHORIZED
