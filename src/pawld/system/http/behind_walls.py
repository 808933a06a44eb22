"""The HTTP client as a child behind walls: requests come in, answers go out in frames, block by block as asked for.

TLS, HTTP and names are read here, by a user who may do nothing. It is given each request by itself, with the proxy that
it goes through; where a redirect leads is for the other end to judge, and perhaps for another child to ask.
"""

import os
import select
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from threading import Thread
from typing import Any

from pawld.errors import PawldError
from pawld.system.http.answers import Answer, Headers
from pawld.system.http.body import Body
from pawld.system.http.client import Web
from pawld.system.http.hop import LEADS, Hop
from pawld.system.http.pools import Pem
from pawld.system.http.reach import Reach
from pawld.system.http.readings import READINGS, Reading, envelope
from pawld.system.http.urls import address_of
from pawld.system.http.wire import Patience
from pawld.system.walls.channel import LONGEST, BrokenChannelError, Channel, document_of
from pawld.system.walls.inside import enter, leave
from pawld.system.walls.plain import MOST_VALUES, BadValueError, encoded

BEGIN, ASK, READ, BODY, NEXT, STOP, HEAD, BLOCK, END, ERROR = (bytes([one]) for one in b"!arbnshdex")
_READ = 512 * 1024  # bytes that are read at once; no frame is longer
DESCRIPTORS = 64  # connections, and what looking names up opens for a moment


def serve(channel: Channel) -> None:
    """Answer requests until nobody asks any more; ``BrokenChannelError`` then."""
    kind, content = channel.receive()
    if kind != BEGIN:
        raise BrokenChannelError("it was not told how to begin")
    with _web(document_of(content)) as web:
        while True:
            kind, content = channel.receive()
            try:
                _answer(kind, document_of(content), web, channel)
            except PawldError as error:
                channel.tell(ERROR, [error.reason.code, error.message])
                channel.flush()


def beginning(proxy: str | None, authorities: str | None, stall: timedelta, user_agent: str) -> dict[str, Any]:
    """Return how a client is to be made; *authorities* is PEM."""
    return {"proxy": proxy, "ca": authorities, "stall": stall.total_seconds(), "agent": user_agent}


def _web(told: Mapping[str, Any]) -> Web:
    stall = timedelta(seconds=told["stall"])
    authorities = None if told["ca"] is None else Pem(told["ca"])
    return Web(proxy=told["proxy"], ca_file=authorities, stall=stall, user_agent=told["agent"])


def asked(hop: Hop, patience: Patience) -> dict[str, Any]:
    """Return the request for *hop*; its body follows."""
    return {
        "method": hop.method,
        "url": hop.address.url,
        "headers": dict(hop.headers),
        "body": None if hop.body is None else len(hop.body),
        "reach": [hop.reach.value, ""] if isinstance(hop.reach, Reach) else ["", hop.reach.origin],
        "waits": waits(patience),
    }


def waits(patience: Patience) -> list[float]:
    """Return how long is waited each time, and together from now."""
    return [one.total_seconds() for one in patience.remaining()]


def _answer(kind: bytes, told: Any, web: Web, channel: Channel) -> None:
    if kind == ASK:
        _ask(told, web, channel)
    elif kind == READ:
        _read(told, channel)
    else:
        raise BrokenChannelError("it was asked for nothing")


def _ask(told: Mapping[str, Any], web: Web, channel: Channel) -> None:
    """Tell the head; then a block each time that one is asked for."""
    hop, patience = _hop(told, channel), Patience.within(*_waits(told["waits"]))
    with closing(web.ask(hop, patience)) as response:
        head = Headers(response.headers)
        channel.tell(HEAD, [response.status, list(head.items()), response.extensions.get(LEADS, Reach.PUBLIC).value])
        channel.flush()
        _tell(Answer(response.status, head, hop.address.url, hop.address.origin, 0, response), patience, channel)


def _read(told: Mapping[str, Any], channel: Channel) -> None:
    """Tell what a body is read to be, or None where it is no such thing or too much of it."""
    body = _body(told["body"], channel)
    for block in cut([_reading(Reading(told["as"]), body)]):
        channel.put(BLOCK, block)
    channel.send(END)


def _reading(reading: Reading, body: bytes) -> bytes:
    most = body.count(b",") + body.count(b"[") + body.count(b"{")  # each may become many times its length
    try:
        return encoded(None if reading is Reading.OBJECT and most > MOST_VALUES else READINGS[reading](body))
    except (BadValueError, MemoryError):
        return encoded(None)


def _tell(answer: Answer, patience: Patience, channel: Channel) -> None:
    body, block = Body(answer), memoryview(bytearray(_READ))
    while (frame := channel.receive())[0] == NEXT:
        patience.extend(*_waits(document_of(frame[1])))
        count = body.read_into(block)
        if not count:
            channel.send(END)
            return
        channel.send(BLOCK, block[:count])


def _hop(told: Mapping[str, Any], channel: Channel) -> Hop:
    reach, origin = told["reach"]
    return Hop(
        told["method"],
        address_of(told["url"]),
        told["headers"],
        None if told["body"] is None else _body(told["body"], channel),
        Reach(reach) if reach else address_of(origin),
    )


def _waits(told: Sequence[float]) -> tuple[timedelta, timedelta]:
    stall, whole = told
    return timedelta(seconds=stall), timedelta(seconds=whole)


def _body(length: int, channel: Channel) -> bytes:
    body = bytearray()
    while len(body) < length:
        body += channel.receive()[1]
    return bytes(body)


def cut(blocks: Iterable[bytes]) -> Iterator[memoryview]:
    """Cut what is longer than a frame."""
    for block in blocks:
        view = memoryview(block)
        while view:
            yield view[:LONGEST]
            view = view[LONGEST:]


def _end_with(channel: Channel) -> None:
    """Watch the other end from a thread: a wait for some server is to end with the one who waits for it."""

    def watch() -> None:
        hung_up = select.poll()
        hung_up.register(channel.connection, 0)
        hung_up.poll()
        os._exit(0)

    Thread(target=watch, daemon=True).start()


def main(words: Sequence[str]) -> None:
    """Load what it may need, go behind the walls, and serve."""
    envelope(b"")
    channel = enter(words, descriptors=DESCRIPTORS, then=_end_with)
    with suppress(BrokenChannelError):  # nobody asks any more
        serve(channel)
    leave(0)


if __name__ == "__main__":
    main(sys.argv[1:])
