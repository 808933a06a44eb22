"""What etcd's gateway may answer beside what it should; the semaphore itself is tested on a real one."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import secret

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.etcd import Etcd, Login


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


def etcd_that_says(web: Web, server: HTTPServer, value: Any, status: int = 200, **facts: Any) -> Etcd:
    server.expect_request(re.compile(".*")).respond_with_json(value, status)
    return Etcd(web, [server.url_for("")], **facts)


def test_a_cluster_needs_an_endpoint(web: Web) -> None:
    with pytest.raises(OperatorError) as caught:
        Etcd(web, [])
    assert caught.value.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize("result", [None, [], {}, {"TTL": "soon"}, {"TTL": None}, {"TTL": "-1"}, {"TTL": "0"}])
def test_a_lease_without_time_left_is_over(web: Web, httpserver: HTTPServer, result: Any) -> None:
    assert etcd_that_says(web, httpserver, {"result": result}).keep_alive("7") is False


@pytest.mark.parametrize(
    "answer",
    [
        {"kvs": "many"},
        {"kvs": [5]},
        {"kvs": [{"key": "not base64!", "value": ""}]},
        {"kvs": [{"key": 5, "value": ""}]},
        {"kvs": [{"key": "/w==", "value": ""}]},
    ],
)
def test_keys_that_are_none_are_not_guessed_at(web: Web, httpserver: HTTPServer, answer: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        etcd_that_says(web, httpserver, answer).below("pawld/slot/")
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


@pytest.mark.parametrize("answer", [{}, {"ID": 5}, {"ID": ""}])
def test_a_grant_without_a_lease_is_none(web: Web, httpserver: HTTPServer, answer: Any) -> None:
    with pytest.raises(RejectedError):
        etcd_that_says(web, httpserver, answer).grant(timedelta(seconds=5))


@pytest.mark.parametrize(
    ("status", "value", "kind", "reason"),
    [
        (200, {"error": {"message": "etcdserver: no leader"}}, TransientError, Reason.SERVER_ERROR),
        (200, ["a", "list"], TransientError, Reason.SERVER_ERROR),
        (503, {"error": "etcdserver: request timed out", "code": 14}, TransientError, Reason.SERVER_ERROR),
        (404, {"error": "etcdserver: requested lease not found", "code": 5}, TransientError, Reason.NOT_FOUND),
        (400, {"error": "etcdserver: key is not provided", "code": 3}, OperatorError, Reason.BAD_REQUEST),
        (403, {"error": "etcdserver: permission denied", "code": 7}, OperatorError, Reason.FORBIDDEN),
        (302, {}, TransientError, Reason.SERVER_ERROR),
    ],
)
def test_each_refusal_has_its_meaning(
    web: Web, httpserver: HTTPServer, status: int, value: Any, kind: type[PawldError], reason: Reason
) -> None:
    with pytest.raises(kind) as caught:
        etcd_that_says(web, httpserver, value, status).keep_alive("7")
    assert caught.value.reason is reason


def test_a_lease_that_is_over_is_revoked_already(web: Web, httpserver: HTTPServer) -> None:
    etcd_that_says(web, httpserver, {"error": "lease not found", "code": 5}, 404).revoke("7")


def test_a_revoke_that_fails_otherwise_is_told(web: Web, httpserver: HTTPServer) -> None:
    with pytest.raises(TransientError):
        etcd_that_says(web, httpserver, {}, 503).revoke("7")


def test_an_endpoint_that_answers_is_asked_first_the_next_time(web: Web, httpserver: HTTPServer) -> None:
    with HTTPServer() as sick:
        sick.expect_request(re.compile(".*")).respond_with_json({}, 503)
        httpserver.expect_request(re.compile(".*")).respond_with_json({"ID": "7"})
        client = Etcd(web, [sick.url_for(""), httpserver.url_for("")])
        for _ in range(3):
            assert client.grant(timedelta(seconds=5)) == "7"
        assert len(sick.log) == 1


def test_a_lease_that_one_member_does_not_know_is_asked_for_nowhere_else(web: Web, httpserver: HTTPServer) -> None:
    with HTTPServer() as first:
        first.expect_request(re.compile(".*")).respond_with_json({"error": "not found"}, 404)
        with pytest.raises(TransientError):
            Etcd(web, [first.url_for(""), httpserver.url_for("")]).keep_alive("7")
    assert httpserver.log == []


def test_a_sign_in_that_fails_for_another_reason_is_told_as_such(
    web: Web, httpserver: HTTPServer, tmp_path: Path
) -> None:
    login = Login("pawld", secret(tmp_path, "word"))
    with pytest.raises(OperatorError) as caught:
        etcd_that_says(web, httpserver, {"error": "authentication is not enabled"}, 400, login=login).keep_alive("7")
    assert caught.value.reason is Reason.BAD_REQUEST
    assert "authentication is not enabled" in caught.value.message
