"""``/metrics`` on a loopback address, off by default. It answers from the journal, and changes nothing."""

import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pawld.errors import OperatorError, PawldError
from pawld.reasons import Reason
from pawld.report.metrics import CONTENT_TYPE

_AT_ONCE = 8  # connections, each of which takes a thread and a descriptor
_PATIENCE = 10  # seconds that a caller may hold a connection without a word
_NO_POLLING = 86_400.0  # seconds: between scrapes the thread sleeps


class Endpoint:
    """Serves *page* until it is closed."""

    def __init__(self, host: str, port: int, page: Callable[[], str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE

            def do_GET(self) -> None:
                _answer(self, page)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
                """Say nothing: a scrape is no event."""

        self._server = _FewAtOnce((host, port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._serve, name="metrics", daemon=True).start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Listen no more."""
        self._server.socket.close()

    def _serve(self) -> None:
        with suppress(OSError):  # Windows tells whoever waits at a socket that it was closed
            self._server.serve_forever(_NO_POLLING)


class _FewAtOnce(ThreadingHTTPServer):
    """Hangs up on whoever comes when all places are taken: any user of this host may come, with any number."""

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


def serve(listen: str, page: Callable[[], str]) -> Endpoint:
    """Serve *page* at *listen*, a loopback ``HOST:PORT``; ``OperatorError`` where the port is taken."""
    host, _, port = listen.rpartition(":")
    try:
        return Endpoint(host.strip("[]"), int(port), page)
    except OSError as error:
        raise OperatorError(
            Reason.CONFIG_INVALID, f"report.metrics_listen: {listen} cannot be listened on: {error.strerror}."
        ) from error


def _answer(handler: BaseHTTPRequestHandler, page: Callable[[], str]) -> None:
    if handler.path.partition("?")[0] != "/metrics":
        handler.send_error(HTTPStatus.NOT_FOUND)
        return
    try:
        body = page().encode()
    except PawldError as error:
        handler.send_error(HTTPStatus.SERVICE_UNAVAILABLE, error.reason.code)
        return
    handler.send_response(HTTPStatus.OK)
    handler.send_header("Content-Type", CONTENT_TYPE)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
