"""Anybody on the host may connect to the metrics, and nobody can fill the daemon with connections."""

import socket
from contextlib import ExitStack
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

from pawld.report.metrics_endpoint import Endpoint

PLACES = 8


def is_hung_up(connection: socket.socket) -> bool:
    connection.settimeout(5)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def scraped(port: int) -> bytes:
    """Ask until a place is free again."""
    until = monotonic() + 20
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return bytes(answer.read())
        except (URLError, ConnectionError):
            assert monotonic() < until
            sleep(0.05)


def test_a_crowd_that_says_nothing_takes_the_places_and_no_more() -> None:
    endpoint = Endpoint("127.0.0.1", 0, lambda: "pawld_up 1\n")
    try:
        with ExitStack() as crowd:
            came = [
                crowd.enter_context(socket.create_connection(("127.0.0.1", endpoint.port), 5))
                for _ in range(PLACES + 4)
            ]
            assert [is_hung_up(one) for one in came[PLACES:]] == [True] * 4
        assert scraped(endpoint.port) == b"pawld_up 1\n"
    finally:
        endpoint.close()
