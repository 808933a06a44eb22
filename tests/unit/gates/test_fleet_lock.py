import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from support.fleet_lock import FakeAirlock
from support.vendors import NOW, answer
from werkzeug import Response

from pawld.errors import OperatorError
from pawld.gates.fleet_lock import FleetLockGate
from pawld.ports import Closed, Open
from pawld.reasons import Reason
from pawld.system.http import Web


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture
def airlock(httpserver: HTTPServer) -> Iterator[FakeAirlock]:
    with FakeAirlock(httpserver) as airlock:
        yield airlock


def made(web: Web, airlock: FakeAirlock, host: str = "a", group: str = "default") -> FleetLockGate:
    return FleetLockGate(web, airlock.url + "/", host, group=group)


def test_it_holds_a_place_from_the_moment_it_opens_until_it_is_released(web: Web, airlock: FakeAirlock) -> None:
    gate = made(web, airlock)
    assert isinstance(gate.check(NOW), Open)
    assert airlock.holders["default"] == ["a"]
    gate.release()
    assert airlock.holders["default"] == []


def test_a_place_that_was_given_is_held_though_more_is_said_than_is_read(web: Web, airlock: FakeAirlock) -> None:
    airlock.script.append(Response(bytes(100_000)))
    assert isinstance(made(web, airlock).check(NOW), Open)


def test_a_full_semaphore_closes_it_with_the_servers_own_words(web: Web, airlock: FakeAirlock) -> None:
    made(web, airlock, "a").check(NOW)
    closed = made(web, airlock, "b").check(NOW)
    assert isinstance(closed, Closed)
    assert closed.reason is Reason.LOCK_HELD
    assert "failed_lock: all 1 semaphore slots currently locked" in closed.message
    assert closed.retry_at == NOW + timedelta(minutes=1)
    assert airlock.holders["default"] == ["a"]


def test_asking_again_while_it_is_held_takes_no_second_place(web: Web, airlock: FakeAirlock) -> None:
    airlock.slots = 2
    gate = made(web, airlock)
    gate.check(NOW)
    assert isinstance(gate.check(NOW), Open)
    assert airlock.holders["default"] == ["a"]


def test_a_new_process_reports_the_steady_state_though_it_took_nothing(web: Web, airlock: FakeAirlock) -> None:
    airlock.holders["default"] = ["a"]  # taken by a process that died
    gate = made(web, airlock)
    gate.release()
    gate.release()
    assert airlock.unlocked == ["a"]
    assert airlock.holders["default"] == []


def test_giving_back_what_others_hold_leaves_it_to_them(web: Web, airlock: FakeAirlock) -> None:
    made(web, airlock, "a").check(NOW)
    made(web, airlock, "b").release()
    assert airlock.holders["default"] == ["a"]


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        (answer(200 + 2, ""), "answered 202"),
        (answer(204, ""), "answered 204"),
        (Response("", 302, {"Location": "/v1/pre-reboot"}), "answered 302"),
        (answer(404, "<html>nothing here</html>"), "answered 404"),
        (answer(500, {"kind": "failed_sem_init", "value": "context deadline exceeded"}), "context deadline exceeded"),
        (answer(503, "not json"), "answered 503"),
        (answer(500, ["a", "list"]), "answered 500"),
        (answer(409, {"kind": {"deep": 1}, "value": "x" * 5000}), "answered 409"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_anything_but_200_means_wait(web: Web, airlock: FakeAirlock, odd: Response, told: str) -> None:
    airlock.script.append(odd)
    closed = made(web, airlock).check(NOW)
    assert isinstance(closed, Closed)
    assert closed.reason is Reason.LOCK_HELD
    assert told in closed.message
    assert len(closed.message) < 1000


def test_a_group_that_the_server_does_not_know_is_told(web: Web, airlock: FakeAirlock) -> None:
    closed = made(web, airlock, group="nobody").check(NOW)
    assert isinstance(closed, Closed)
    assert "unknown_group" in closed.message


def test_a_group_that_no_server_would_take_is_a_fault_of_the_configuration(web: Web, airlock: FakeAirlock) -> None:
    with pytest.raises(OperatorError) as caught:
        made(web, airlock, group="a/b")
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_lock_server_that_is_down_closes_it_and_keeps_nobody_from_going_on(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    gate = FleetLockGate(web, "http://127.0.0.1:1", "a")
    closed = gate.check(NOW)
    assert isinstance(closed, Closed)
    assert closed.reason is Reason.UNREACHABLE
    with caplog.at_level(logging.WARNING, "pawld.gates"):
        gate.release()
    assert "given back at the next start" in caplog.text


def test_a_place_that_the_server_did_not_take_back_is_offered_again(
    web: Web, airlock: FakeAirlock, caplog: pytest.LogCaptureFixture
) -> None:
    gate = made(web, airlock)
    gate.check(NOW)
    airlock.says(500, {"kind": "failed_unlock", "value": "conflict"})
    with caplog.at_level(logging.WARNING, "pawld.gates"):
        gate.release()
    assert "failed_unlock: conflict" in caplog.text
    assert airlock.holders["default"] == ["a"]
    gate.release()
    assert airlock.holders["default"] == []


def test_a_place_that_was_given_in_an_answer_that_got_lost_is_given_back(web: Web, airlock: FakeAirlock) -> None:
    gate = made(web, airlock)
    gate.release()
    airlock.holders["default"] = ["a"]
    airlock.says(500, "the gateway in between lost the answer")
    gate.check(NOW)
    gate.release()
    assert airlock.holders["default"] == []
