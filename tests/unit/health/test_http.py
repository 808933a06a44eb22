import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from pawld.errors import OperatorError, TransientError
from pawld.health.http import HttpCheck
from pawld.model import Slot
from pawld.ports import Healthy, Sick, Unclear
from pawld.reasons import Reason
from pawld.system.http import Web

SLOT = Slot(Path("/opt/acme/versions/1.0.0-0123456789ab"), "1.0.0", "0" * 64)
QUICK = timedelta(milliseconds=500)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


@pytest.fixture
def check(httpserver: HTTPServer, web: Web) -> HttpCheck:
    return HttpCheck(httpserver.url_for("/health"), web, limit=QUICK)


def as_remote(check: HttpCheck) -> HttpCheck:
    """The same check, as if its address lay beyond a network: only loopback can be served here."""
    check._local = False
    return check


def answering(httpserver: HTTPServer, status: int, **headers: str) -> None:
    httpserver.clear()
    httpserver.expect_request("/health").respond_with_data("", status=status, headers=headers)


def test_an_endpoint_that_answers_well_is_healthy(httpserver: HTTPServer, check: HttpCheck) -> None:
    answering(httpserver, 204)
    check.begin()
    assert isinstance(check.check(SLOT), Healthy)


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_endpoint_of_the_agent_that_answers_anything_else_is_sick(
    httpserver: HTTPServer, check: HttpCheck, status: int
) -> None:
    answering(httpserver, status)
    check.begin()
    finding = check.check(SLOT)
    assert isinstance(finding, Sick)
    assert finding.detail.endswith(f"/health answered {status}.")


def test_another_status_may_be_the_healthy_one(httpserver: HTTPServer, web: Web) -> None:
    check = HttpCheck(httpserver.url_for("/health"), web, status=401)
    answering(httpserver, 401)
    assert isinstance(check.check(SLOT), Healthy)
    answering(httpserver, 200)
    assert isinstance(check.check(SLOT), Sick)


def test_an_agent_that_nobody_can_connect_to_is_sick(web: Web) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    check = HttpCheck(f"http://127.0.0.1:{port}/health", web, limit=QUICK)
    assert isinstance(check.check(SLOT), Sick)


def test_an_agent_that_takes_the_connection_and_hangs_is_sick(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        check = HttpCheck(f"http://127.0.0.1:{hanging.getsockname()[1]}/health", web, limit=QUICK)
        assert isinstance(check.check(SLOT), Sick)


def test_an_agent_that_speaks_no_http_is_sick(web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"what?\r\n\r\n")

        babbler = threading.Thread(target=babble)
        babbler.start()
        check = HttpCheck(f"http://127.0.0.1:{server.getsockname()[1]}/health", web, limit=QUICK)
        assert isinstance(check.check(SLOT), Sick)
        babbler.join()


def test_a_429_rolls_nothing_back(httpserver: HTTPServer, check: HttpCheck) -> None:
    answering(httpserver, 429)
    assert isinstance(check.check(SLOT), Unclear)


def test_a_dns_failure_rolls_nothing_back(httpserver: HTTPServer, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nameless(Web):
        def get(self, *_: object, **__: object) -> None:  # type: ignore[override]  # it only fails
            raise TransientError(Reason.NAME_NOT_RESOLVED, "The name of api.example.com does not resolve.")

    for url in ("https://api.example.com/health", "http://localhost:1/health"):
        check = HttpCheck(url, Nameless())
        check.begin()
        assert isinstance(check.check(SLOT), Unclear)


def test_a_remote_address_counts_only_if_it_answered_before(httpserver: HTTPServer, check: HttpCheck) -> None:
    remote = as_remote(check)
    answering(httpserver, 500)
    remote.begin()
    finding = remote.check(SLOT)
    assert isinstance(finding, Unclear)
    assert "before the swap either" in finding.detail
    answering(httpserver, 200)
    remote.begin()
    answering(httpserver, 500)
    assert isinstance(remote.check(SLOT), Sick)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_fault_of_the_way_to_a_remote_address_is_unclear(
    httpserver: HTTPServer, check: HttpCheck, status: int
) -> None:
    remote = as_remote(check)
    answering(httpserver, 200)
    remote.begin()
    answering(httpserver, status)
    assert isinstance(remote.check(SLOT), Unclear)


def test_a_remote_address_that_cannot_be_reached_any_more_is_unclear(httpserver: HTTPServer, check: HttpCheck) -> None:
    remote = as_remote(check)
    answering(httpserver, 200)
    remote.begin()
    remote._url = "http://127.0.0.1:1/health"
    assert isinstance(remote.check(SLOT), Unclear)


def test_no_cache_can_answer_for_the_agent(httpserver: HTTPServer, check: HttpCheck) -> None:
    seen: list[Request] = []

    def look(request: Request) -> Response:
        seen.append(request)
        return Response()

    httpserver.expect_request("/health").respond_with_handler(look)
    check.check(SLOT)
    check.check(SLOT)
    assert len({request.args["pawld-probe"] for request in seen}) == 2
    assert all("no-cache" in request.headers["Cache-Control"] for request in seen)


def test_an_answer_out_of_a_cache_is_unclear(httpserver: HTTPServer, check: HttpCheck) -> None:
    answering(httpserver, 200, Age="30")
    assert isinstance(check.check(SLOT), Unclear)
    answering(httpserver, 200, Age="0")
    assert isinstance(check.check(SLOT), Healthy)


def test_a_query_of_the_address_is_kept_and_never_shown(httpserver: HTTPServer, web: Web) -> None:
    check = HttpCheck(httpserver.url_for("/health") + "?key=hush", web)
    httpserver.expect_request("/health").respond_with_handler(lambda _: Response(status=500))
    finding = check.check(SLOT)
    assert httpserver.log[0][0].args["key"] == "hush"
    assert "hush" not in str(finding)


def test_an_address_beyond_loopback_has_to_be_https(web: Web) -> None:
    with pytest.raises(OperatorError) as raised:
        HttpCheck("http://api.example.com/health", web)
    assert raised.value.reason is Reason.CONFIG_INVALID
