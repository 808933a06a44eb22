"""A server of a few lines over bare sockets, for what no honest HTTP server would say."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

_PATIENCE = 10.0  # seconds; a test that waits longer has failed already


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]

    @property
    def range_start(self) -> int | None:
        value = self.headers.get("range")
        return int(value.removeprefix("bytes=").split("-")[0]) if value else None


@dataclass
class Wire:
    """What a handler writes its answer with."""

    socket: socket.socket

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        """Send a whole, honest answer."""
        fields = {"Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.send(f"HTTP/1.1 {status} Whatever\r\n{lines}\r\n".encode("latin-1") + body)

    def redirect(self, location: str, status: int = 302) -> None:
        self.answer(status, {"Location": location})

    def hang_up(self) -> None:
        """End the connection, midway or not."""
        self.socket.shutdown(socket.SHUT_RDWR)

    def wait_for_the_end(self) -> None:
        """Say nothing more until the other side leaves."""
        with contextlib.suppress(OSError):
            self.socket.recv(1)

    def drip(self, every: float, data: bytes = b"x", *, times: int = 1000) -> None:
        """Send *data* again and again until the other side leaves."""
        for _ in range(times):
            self.send(data)
            time.sleep(every)


Handler = Callable[[Asked, Wire], None]


@dataclass
class RawServer:
    """Where the server listens, and what it was asked."""

    url: str
    port: int
    asked: list[Asked] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    @property
    def targets(self) -> list[str]:
        return [one.target for one in self.asked]


@contextmanager
def raw_server(handler: Handler, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[RawServer]:
    """Serve *handler*, one thread a connection, until the block ends; an assertion that fails in it fails the test."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    server = RawServer(f"{'https' if tls else 'http'}://{shown}:{port}", port)
    opened: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(_PATIENCE)
            opened.append(connection)
            thread = threading.Thread(target=_serve, args=(connection, tls, handler, server, opened), daemon=True)
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(_PATIENCE)
        for connection in opened:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # the connection's own, below TLS
        for thread in threads:
            thread.join(_PATIENCE)
    if server.faults:
        raise server.faults[0]


def _serve(
    connection: socket.socket,
    tls: ssl.SSLContext | None,
    handler: Handler,
    server: RawServer,
    opened: list[socket.socket],
) -> None:
    with connection, contextlib.suppress(OSError, ValueError):  # whoever speaks no HTTP is hung up on
        stream = tls.wrap_socket(connection, server_side=True) if tls else connection
        opened.append(stream)
        with stream, stream.makefile("rb") as reader:
            while (asked := _read_request(reader)) is not None:
                server.asked.append(asked)
                try:
                    handler(asked, Wire(stream))
                except AssertionError as fault:
                    server.faults.append(fault)
                    return


def _read_request(reader: BinaryIO) -> Asked | None:
    line = reader.readline().decode("latin-1")
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while (line := reader.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    reader.read(int(headers.get("content-length", "0")))
    return Asked(method, target, headers)
