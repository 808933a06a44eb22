"""The HTTP client as a child behind walls: requests come in, answers go out in frames, block by block as asked for.

TLS, HTTP, redirects and names are read here, by a user who may do nothing. It is given the headers of each request, and
nothing else that is secret.
"""

import os
import select
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import Any

from pawld.errors import PawldError
from pawld.model import Location
from pawld.system.http.body import Body
from pawld.system.http.client import Web
from pawld.system.http.pools import Pem
from pawld.system.walls.channel import LONGEST, BrokenChannelError, Channel, document_of
from pawld.system.walls.inside import enter, leave

BEGIN, GET, CALL, BODY, NEXT, STOP, HEAD, BLOCK, END, ERROR = (bytes([one]) for one in b"!gcbnshdex")
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


def _answer(kind: bytes, asked: Any, web: Web, channel: Channel) -> None:
    if kind == GET:
        _get(asked, web, channel)
    elif kind == CALL:
        _call(asked, web, channel)
    else:
        raise BrokenChannelError("it was asked for neither a file nor a call")


def _get(asked: Mapping[str, Any], web: Web, channel: Channel) -> None:
    """Tell the head; then a block each time that one is asked for."""
    place = asked["location"]
    location = Location(**{**place, "final_hosts": tuple(place["final_hosts"])})
    with web.get(location, headers=asked["headers"], deadline=timedelta(seconds=asked["deadline"])) as answer:
        _head(channel, answer.status, answer.headers, answer.url, answer.hops)
        body, block = Body(answer), memoryview(bytearray(_READ))
        while channel.receive()[0] == NEXT:
            count = body.read_into(block)
            if not count:
                channel.send(END)
                return
            channel.send(BLOCK, block[:count])


def _call(asked: Mapping[str, Any], web: Web, channel: Channel) -> None:
    reply = web.call(
        asked["method"],
        asked["url"],
        headers=asked["headers"],
        body=None if asked["body"] is None else _body(asked["body"], channel),
        limit=asked["limit"],
        deadline=timedelta(seconds=asked["deadline"]),
    )
    _head(channel, reply.status, reply.headers, reply.url, 0)
    for block in cut([reply.body]):
        channel.put(BLOCK, block)
    channel.send(END)


def _body(length: int, channel: Channel) -> bytes:
    body = bytearray()
    while len(body) < length:
        body += channel.receive()[1]
    return bytes(body)


def _head(channel: Channel, status: int, headers: Mapping[str, str], url: str, hops: int) -> None:
    channel.tell(HEAD, [status, list(headers.items()), url, hops])
    channel.flush()


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
    """Go behind the walls and serve; what is needed was loaded with this module."""
    channel = enter(words, descriptors=DESCRIPTORS, then=_end_with)
    with suppress(BrokenChannelError):  # nobody asks any more
        serve(channel)
    leave(0)


if __name__ == "__main__":
    main(sys.argv[1:])
