"""A webhook is posted each outcome; what its status means for the letter is the same for every receiver."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.letters import AT, document

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.report.letter import Letter
from pawld.report.webhook import Webhook
from pawld.system.http import Web
from pawld.system.secret import Secret


def send(url: str, token: Secret | None = None) -> None:
    with Web() as web:
        Webhook(web, url, lambda: AT, token).send(Letter(1, document(1), lost=7))


def test_it_is_posted_the_outcome_with_its_token(httpserver: HTTPServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text("secret")
    httpserver.expect_request("/hook", "POST", headers={"Authorization": "Bearer secret"}).respond_with_data("")
    send(httpserver.url_for("/hook"), Secret.from_file(token))
    ((request, _),) = httpserver.log
    told = json.loads(request.data)
    assert told == document(1) | {"lost": 7}
    assert (told["host"], told["agent"], told["reason"]["code"]) == ("host-1", "acme", "updated")
    assert told["at"] == (AT + timedelta(minutes=1)).isoformat()
    assert request.headers["Idempotency-Key"] == told["id"]


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (302, TransientError, Reason.SERVER_ERROR),
        (400, RejectedError, Reason.BAD_REQUEST),
        (401, OperatorError, Reason.UNAUTHORIZED),
        (404, TransientError, Reason.SERVER_ERROR),
        (413, RejectedError, Reason.BAD_REQUEST),
        (429, TransientError, Reason.RATE_LIMITED),
        (500, TransientError, Reason.SERVER_ERROR),
    ],
)
def test_a_status_says_never_or_later(
    httpserver: HTTPServer, status: int, kind: type[PawldError], reason: Reason
) -> None:
    headers = {"Retry-After": "600", "Location": "/else"}
    httpserver.expect_request("/hook").respond_with_data("", status=status, headers=headers)
    with pytest.raises(kind, match=f"/hook answered {status}") as raised:
        send(httpserver.url_for("/hook?key=secret"))
    assert raised.value.reason is reason
    assert raised.value.retry_after == (None if kind is RejectedError else timedelta(minutes=10))
    assert "secret" not in raised.value.message
    assert len(httpserver.log) == 1, "a redirect is not followed: the token is for this address alone"


def test_a_letter_that_was_taken_is_delivered_whatever_is_said_with_it(httpserver: HTTPServer) -> None:
    """Or the receiver's long or slow answer would hold back every letter after it."""
    httpserver.expect_request("/hook").respond_with_data(bytes(200_000))
    send(httpserver.url_for("/hook"))
    send(httpserver.url_for("/hook"))
    assert len(httpserver.log) == 2
