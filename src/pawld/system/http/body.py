"""The body of an answer, read into the caller's memory.

httpcore hands out a body in blocks of its own, each copied five times on its way out of h11, which is a third of what a
download costs this host. Where the head has stated the length, the framing has nothing more to say: what h11 had read
beyond the head comes out first, and the rest is read from the connection itself. It is not used again afterwards. A
body that came with its head, as metadata does, is left to h11 to the end, and its connection serves the next request,
unless more came than the body.
"""

from typing import TYPE_CHECKING

import httpcore

from pawld.system.http.answers import Answer, stated_length
from pawld.system.http.faults import body_errors
from pawld.system.http.wire import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator


class Body:
    """The body of *answer*, which nobody has begun to read; errors as ``Answer.blocks`` has them."""

    def __init__(self, answer: Answer) -> None:
        self._url = answer.url
        self._blocks: Iterator[bytes] = answer.blocks()
        self._held = memoryview(b"")
        self._stream = _direct(answer)
        self._missing = stated_length(answer.headers)
        self._begun = False
        self._past = False

    def read_into(self, view: memoryview) -> int:
        """Fill the beginning of *view* with what is there, waiting for the first byte of it; 0 at the end only."""
        if not self._held and self._stream is not None and (self._past or (self._begun and self._missing)):
            self._past = True
            return self._received(self._stream, view[: self._missing])
        if not self._held:
            self._begun = True
            self._held = memoryview(next(self._blocks, b""))
            self._missing -= len(self._held)
        count = min(len(view), len(self._held))
        view[:count] = self._held[:count]
        self._held = self._held[count:]
        return count

    def _received(self, stream: Stream, view: memoryview) -> int:
        if not view:
            return 0
        with body_errors(self._url):
            count = stream.read_into(view)
            if not count:
                raise httpcore.RemoteProtocolError("the peer closed the connection before the end of the body")
        self._missing -= count
        return count


def _direct(answer: Answer) -> Stream | None:
    """The connection, where the body is what comes out of it: of a stated length, and not in an encoding."""
    stream = answer.response.extensions.get("network_stream")
    return stream if isinstance(stream, Stream) and stream.plain and stated_length(answer.headers) >= 0 else None
