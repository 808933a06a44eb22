"""Sockets under httpcore, through its public backend interface: guarded connects, deadlines, large reads."""

import re
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Any

import httpcore

from pawld.system.http.reach import Reach, resolved

if TYPE_CHECKING:
    import socket

READ_BLOCK = 256 * 1024  # bytes; httpcore asks for 64 KiB, which costs four times the work around each read
_BLANK = re.compile(rb"\n\r?\n")
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
    """A connection that minds the deadline at each read and write, and hands out one answer for each request.

    h11 would take what follows an answer for the answer to the next request. So a head is handed out up to its end, and
    the body up to the length that it states; a connection on which more came, or whose answer states no length, tells
    the pool that it is not idle but read to its end (``is_readable``), and the pool closes it.

    Attributes:
        plain: its bytes come out of its socket, over TLS or not; with TLS inside of TLS they do not.
    """

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._timeout: float | None = None
        self._held = b""  # came, and was not handed out
        self._line = b""  # the end of what was handed out of a head
        self._body: float | None = None  # bytes that are left of it; None while the head comes
        self.plain = not isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: D102 - httpcore.NetworkStream says it
        self._timeout = timeout
        came = self._held or self._came(max_bytes)
        count = self._head_of(came) if self._body is None else int(min(len(came), self._body))
        if self._body is not None:
            self._body -= count
        self._held = came[count:]
        return came[:count]

    def expect(self, length: int) -> None:
        """Hand out a body of so many bytes from here on; below 0 it ends where its framing says, or never."""
        self._body = length if length >= 0 else inf

    def _head_of(self, came: bytes) -> int:
        """Return how many of these bytes belong to a head: those up to a blank line, as h11 takes one for it."""
        joined = self._line + came
        end = _BLANK.search(joined)
        self._line = b"" if end else joined[-2:]
        return end.end() - (len(joined) - len(came)) if end else len(came)

    def _came(self, max_bytes: int) -> bytes:
        first = self._stream.read(max(max_bytes, READ_BLOCK), _left(self._timeout))
        return self._more(first) if self.plain and len(first) == _TLS_RECORD else first

    def read_into(self, view: memoryview) -> int:
        """Read past httpcore into *view*, under the patience of the last read; 0 where the peer has closed.

        What ``read`` holds back has to be handed out by then.
        """
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
        self._body = None
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:  # noqa: D102 - httpcore.NetworkStream says it
        self._stream.close()

    def start_tls(  # noqa: D102 - as above
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:  # noqa: D102 - httpcore.NetworkStream says it
        if info == "is_readable" and self._is_spent():
            return True
        return self._stream.get_extra_info(info)

    def _is_spent(self) -> bool:
        tls = self._stream.get_extra_info("ssl_object")
        return bool(self._held or self._body == inf or (tls and tls.pending()))


def _left(timeout: float | None) -> float | None:
    return timeout.left() if isinstance(timeout, Patience) else timeout
