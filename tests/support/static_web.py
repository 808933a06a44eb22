"""A real HTTP server over a dictionary of files, which counts what it was asked and can be told to misbehave."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

Misbehaviour = Callable[[BaseHTTPRequestHandler], None]


class StaticWeb:
    """Serves ``files`` by path.

    Attributes:
        url: of the server, without a slash at its end.
        asked: ``GET /path`` of every request, in order.
        instead: what is done instead of serving a path.
    """

    def __init__(self, files: dict[str, bytes], port: int) -> None:
        self.files = files
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[str] = []
        self.instead: dict[str, Misbehaviour] = {}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.removeprefix("/").partition("?")[0]
        self.asked.append(f"{handler.command} /{path}")
        if path in self.instead:
            self.instead[path](handler)
            return
        data = self.files.get(path, self.files.get(unquote(path)))
        send(handler, 404 if data is None else 200, data or b"")


def send(handler: BaseHTTPRequestHandler, status: int, data: bytes = b"") -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


@contextmanager
def static_web(files: dict[str, bytes]) -> Iterator[StaticWeb]:
    """Serve *files* on loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(ConnectionError):
                web.answer(self)

        do_HEAD = do_POST = do_GET  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web = StaticWeb(files, server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()
