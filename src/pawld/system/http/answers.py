"""What comes back: headers, an answer whose body is still coming, and a whole reply."""

import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

import httpcore

from pawld.errors import RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system.http.faults import body_errors
from pawld.system.http.urls import shown
from pawld.values import dataclass

_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)


class Headers(Mapping[str, str]):
    """Headers, whatever their case; a repeated one is joined by commas (RFC 9110, 5.3)."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self._values[key] = f"{self._values[key]}, {text}" if key in self._values else text

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def stated_length(headers: Mapping[str, str]) -> int:
    """Return how long a body is by its head; -1 where that does not frame it so."""
    value = headers.get("content-length", "")
    return int(value) if _LENGTH.fullmatch(value) and "transfer-encoding" not in headers else -1


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer of an interface: any status, its body within the limit that was given.

    Attributes:
        document: the JSON object that the body was read to be; None where it holds anything else.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    document: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and its body while it comes.

    Attributes:
        headers: case-insensitive.
        url: where it came from, after all redirects; it may hold a signed query, so show it by ``shown`` only.
        origin: scheme, host and port of *url*, for messages.
        hops: how many redirects led there.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    origin: str
    hops: int
    response: httpcore.Response = field(repr=False)

    def blocks(self) -> Iterator[bytes]:
        """Yield the body once, as the network brings it: never re-cut, never decoded.

        ``RejectedError`` (encoding_refused) where the server encoded it against the request; ``TransientError``
        (transfer_stalled, transfer_cut) where it stops.
        """
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise RejectedError(
                Reason.ENCODING_REFUSED, f"{shown(self.url)} sent the bytes encoded as {encoding[:32]!r}, unasked."
            )
        with body_errors(self.url):
            yield from self.response.iter_stream()

    def abort(self) -> None:
        """Wake a thread that reads this body; for another thread, which wants it to end. It gets transfer_cut."""
        connection = self.response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not SSLSocket's, which forgets its session midway

    def whole(self, limit: int) -> bytes:
        """Return the body; ``TransientError`` (answer_not_understood) where it is longer than *limit* bytes."""
        body = bytearray()
        for block in self.blocks():
            body += block
            if len(body) > limit:
                raise TransientError(
                    Reason.ANSWER_NOT_UNDERSTOOD, f"{shown(self.url)} answered more than {limit} bytes."
                )
        return bytes(body)

    def beginning(self, most: int) -> bytes:
        """Return the first *most* bytes of the body; what follows is left where it is."""
        body = bytearray()
        blocks = self.blocks() if most else iter(())
        while len(body) < most and (block := next(blocks, None)) is not None:
            body += block
        return bytes(body[:most])
