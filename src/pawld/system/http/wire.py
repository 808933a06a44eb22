"""Sockets under httpcore, through its public backend interface: guarded connects, deadlines, large reads."""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpcore

from pawld.system.http.reach import Reach, resolved

if TYPE_CHECKING:
    import socket

READ_BLOCK = 256 * 1024  # bytes; httpcore asks for 64 KiB, which costs four times the work around each read
_TLS_RECORD = 16 * 1024  # bytes; ssl hands out one record at a time (RFC 8446, 5.1)


class Patience(float):
    """A wait in seconds that also ends at a moment, and may be told a later one.

    httpcore hands a timeout to each read unchanged, but knows no deadline: a server that sends a byte now and then
    would hold it for ever. This number carries the deadline down to the socket.
    """

    stall: timedelta
    until: float

    @classmethod
    def within(cls, stall: timedelta, whole: timedelta) -> "Patience":
        """Wait at most *stall* each time, and *whole* together, from now."""
        self = cls(stall.total_seconds())
        self.extend(stall, whole)
        return self

    def extend(self, stall: timedelta, whole: timedelta) -> None:
        """Begin anew: *stall* each time, *whole* from now."""
        self.stall = stall
        self.until = time.monotonic() + whole.total_seconds()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the time of the block not count: no server had a hand in it."""
        begun = time.monotonic()
        yield
        self.until += time.monotonic() - begun

    def remaining(self) -> tuple[timedelta, timedelta]:
        """Return what is waited each time, and together from now."""
        return self.stall, timedelta(seconds=max(0.0, self.until - time.monotonic()))

    def left(self) -> float:
        """Return how long the next wait may be; ``httpcore.ReadTimeout`` where there is none left."""
        left = min(self.stall.total_seconds(), self.until - time.monotonic())
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline passed")
        return left


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to what *reach* allows, by address, so that what was judged is what is used."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._plain = httpcore.SyncBackend()

    def connect_tcp(  # noqa: D102 - httpcore.NetworkBackend says it
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        *others, last = resolved(host, port, self._reach)
        for address in others:
            try:
                return self._connected(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connected(last, port, timeout, local_address, socket_options)

    def _connected(
        self,
        address: str,
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(address, port, _left(timeout), local_address, socket_options)
        return Stream(stream)


class Stream(httpcore.NetworkStream):
    """A connection that minds the deadline at each read and write.

    Attributes:
        plain: its bytes come out of its socket, over TLS or not; with TLS inside of TLS they do not.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._timeout: float | None = None
        self.plain = not isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: D102 - httpcore.NetworkStream says it
        self._timeout = timeout
        first = self._stream.read(max(max_bytes, READ_BLOCK), _left(timeout))
        return self._more(first) if self.plain and len(first) == _TLS_RECORD else first

    def read_into(self, view: memoryview) -> int:
        """Read past httpcore into *view*, under the patience of the last read; 0 where the peer has closed."""
        connection: socket.socket = self.get_extra_info("socket")
        connection.settimeout(_left(self._timeout))
        return connection.recv_into(view)

    def _more(self, first: bytes) -> bytes:
        """Join the full TLS records that are here already: each alone would cost as much around it as a whole block."""
        connection = self.get_extra_info("socket")
        parts, missing = [first], READ_BLOCK - len(first)
        connection.settimeout(0)
        with suppress(OSError):  # nothing more is here; or it broke, and the next read says so
            while missing > 0 and (part := connection.recv(missing)):
                parts.append(part)
                missing -= len(part)
        return b"".join(parts)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: D102 - httpcore.NetworkStream says it
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:  # noqa: D102 - httpcore.NetworkStream says it
        self._stream.close()

    def start_tls(  # noqa: D102 - as above
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:  # noqa: D102 - httpcore.NetworkStream says it
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    return timeout.left() if isinstance(timeout, Patience) else timeout
