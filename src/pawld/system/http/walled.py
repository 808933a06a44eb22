"""The HTTP client whose work is done behind walls: no TLS, no HTTP and no redirect is read by this process.

A child does one request at a time; who asks meanwhile gets another. What a child says is believed as little as what a
server says: it can refuse service, or hand over other bytes, and neither is trusted with more.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpcore

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http.answers import Answer, Headers, Reply
from pawld.system.http.behind_walls import (
    BEGIN,
    BLOCK,
    BODY,
    CALL,
    END,
    ERROR,
    GET,
    HEAD,
    NEXT,
    STOP,
    beginning,
    cut,
)
from pawld.system.http.client import DEADLINE, HEAD_DEADLINE, STALL, USER_AGENT, MiB, Web
from pawld.system.http.urls import UrlError, address_of
from pawld.system.walls import BrokenChannelError, Child, Walls
from pawld.system.walls.channel import document_of
from pawld.system.words import printable

MODULE = "pawld.system.http.behind_walls"
WHAT = "talks to servers"
SLACK = timedelta(seconds=15)  # beyond what the child itself may wait for a server
_NONE: Mapping[str, str] = {}
_SAID = 1000  # characters of a sentence
_STATUS = range(100, 1000)

# What a client may end with; a child that says something else has been turned.
_ERRORS: dict[str, tuple[type[PawldError], Reason]] = {
    reason.code: (kind, reason)
    for kind, reasons in (
        (
            TransientError,
            (
                Reason.NAME_NOT_RESOLVED,
                Reason.UNREACHABLE,
                Reason.TLS_FAILED,
                Reason.TIMED_OUT,
                Reason.TRANSFER_STALLED,
                Reason.TRANSFER_CUT,
                Reason.ANSWER_NOT_UNDERSTOOD,
                Reason.REDIRECT_LOOP,
            ),
        ),
        (RejectedError, (Reason.REDIRECT_REFUSED, Reason.ENCODING_REFUSED)),
        (OperatorError, (Reason.CONFIG_INVALID,)),
    )
    for reason in reasons
}


class WalledWeb(Web):
    """A ``Web`` whose requests are made by children behind *walls*; the other arguments are those of ``Web``."""

    def __init__(
        self,
        walls: Walls,
        *,
        proxy: str | None = None,
        ca_file: Path | None = None,
        stall: timedelta = STALL,
        user_agent: str = USER_AGENT,
    ) -> None:
        super().__init__(proxy=proxy, ca_file=ca_file, stall=stall, user_agent=user_agent)
        self._walls = walls
        self._proxy = proxy
        self._ca_file = ca_file
        self._idle: list[Child] = []
        self._coming: Child | None = None
        self._lock = threading.Lock()

    @contextmanager
    def get(
        self, location: Location, *, headers: Mapping[str, str] = _NONE, deadline: timedelta | None = None
    ) -> Iterator[Answer]:
        """Do as ``Web.get``; ``TransientError`` (reader_failed) too."""
        whole = deadline or DEADLINE
        asked = {
            "location": {**asdict(location), "headers": dict(location.headers)},
            "headers": dict(headers),
            "deadline": whole.total_seconds(),
        }
        with self._talk() as talk:
            answer = talk.ask(GET, asked, min(whole, HEAD_DEADLINE))
            talk.go_on(self._stall, whole)
            yield answer

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = _NONE,
        body: bytes | None = None,
        limit: int = MiB,
        deadline: timedelta = timedelta(seconds=60),
    ) -> Reply:
        """Do as ``Web.call``; ``TransientError`` (reader_failed) too."""
        asked = {"method": method, "url": url, "headers": dict(headers), "limit": limit}
        asked |= {"deadline": deadline.total_seconds(), "body": None if body is None else len(body)}
        with self._talk() as talk:
            answer = talk.ask(CALL, asked, deadline, body)
            return Reply(answer.status, answer.headers, talk.whole(limit), answer.url)

    def warm(self) -> None:
        """Begin to start a child; where that fails, the first request does it again and says why."""
        with self._lock, suppress(TransientError):
            if self._coming is None and not self._idle:
                self._coming = self._walls.begin(MODULE, WHAT)

    def close(self) -> None:
        """End every child; the next request starts a new one."""
        super().close()
        with self._lock:
            idle, self._idle = [*self._idle, *([self._coming] if self._coming else [])], []
            self._coming = None
        for child in idle:
            child.end()

    @contextmanager
    def _talk(self) -> Iterator["_Talk"]:
        """Lend a child that nobody else talks to; it is kept where the talk ended in order."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
            coming, self._coming = (self._coming, None) if child is None else (None, self._coming)
        talk = _Talk(child or self._begun(coming))
        try:
            yield talk
        finally:
            if talk.end():
                with self._lock:
                    self._idle.append(talk.child)
            else:
                talk.child.end()

    def _begun(self, coming: Child | None) -> Child:
        child = coming or self._walls.begin(MODULE, WHAT)
        child.look()
        try:
            authorities = _text_of(self._ca_file) if self._ca_file else None
        except OperatorError:
            child.end()
            raise
        with child.faults():
            child.channel.tell(BEGIN, beginning(self._proxy, authorities, self._stall, self._user_agent))
        return child


def _text_of(ca_file: Path) -> str:
    """Read what the child may not; what stands around the certificates is of no use to it."""
    try:
        return ca_file.read_text("ascii", "replace")
    except OSError as error:
        raise OperatorError(
            Reason.CONFIG_INVALID, f"ca_file {ca_file} cannot be read as PEM certificates: {error.strerror}."
        ) from error


class _Talk:
    """One request to a child, and what it says to it."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._channel = child.channel
        self._at_rest = False
        self._awaiting = True

    def ask(self, kind: bytes, asked: Any, patience: timedelta, body: bytes | None = None) -> Answer:
        """Ask, and return the head of the answer; the error that the child tells, or that it is one itself."""
        self._channel.wait_for(patience + SLACK, whole=patience + SLACK)
        with self.child.faults():
            self._channel.tell(kind, asked)
            for part in cut([body or b""]):
                self._channel.put(BODY, part)
            self._channel.flush()
            return _answer_of(self._received(HEAD), self)

    def go_on(self, stall: timedelta, whole: timedelta) -> None:
        """Wait from here on for *stall* each time, and for *whole* together."""
        self._awaiting = False
        self._channel.wait_for(stall + SLACK, whole=whole + SLACK)

    def blocks(self) -> Iterator[bytes]:
        """Yield the body's blocks; one is asked for ahead, so that the child waits for servers and this end for it."""
        self._next()
        while not self._at_rest:
            with self.child.faults():
                block = self._received(BLOCK, END)
            if not self._at_rest:
                self._next()
                yield bytes(block)

    def _next(self) -> None:
        with self.child.faults():
            self._awaiting = True
            self._channel.send(NEXT)

    def whole(self, limit: int) -> bytes:
        """Return a body that comes without being asked for."""
        body = bytearray()
        with self.child.faults():
            while not self._at_rest:
                body += self._received(BLOCK, END)
                if len(body) > limit:
                    raise BrokenChannelError("it sent more than it may")
        return bytes(body)

    def end(self) -> bool:
        """Leave the rest of the body; return whether the child is ready for another request."""
        if not self._at_rest and not self._awaiting:
            with suppress(BrokenChannelError):
                self._channel.send(STOP)
                return True
        return self._at_rest

    def get_extra_info(self, info: str) -> Any:
        """Return what wakes a thread that reads the body, as httpcore's streams do."""
        return self._channel.connection if info == "socket" else None

    def _received(self, *expected: bytes) -> memoryview:
        kind, content = self._channel.receive()
        if kind == ERROR:
            error = _error_of(document_of(content))
            self._at_rest = True
            raise error
        if kind not in expected:
            raise BrokenChannelError("it answered something else than it was asked")
        self._at_rest = kind == END
        return content


def _answer_of(content: memoryview, talk: _Talk) -> Answer:
    """Read a head; where it came from is read here anew, out of an address that has to be one that is fetched."""
    try:
        status, pairs, url, hops = document_of(content)
        head = [(str(name).encode("latin-1"), str(value).encode("latin-1")) for name, value in pairs]
        address = address_of(str(url))
    except (ValueError, TypeError, UrlError) as error:
        raise BrokenChannelError("it told the head of an answer in another form than it should") from error
    if type(status) is not int or status not in _STATUS or type(hops) is not int:
        raise BrokenChannelError("it told a status that is none")
    response = httpcore.Response(status, headers=head, content=talk.blocks(), extensions={"network_stream": talk})
    return Answer(status, Headers(head), address.url, address.origin, hops, response)


def _error_of(document: Any) -> PawldError:
    """Return what the child's client ended with, if it is one of the things that a client can end with."""
    try:
        code, message = document
        kind, reason = _ERRORS[code]
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenChannelError("it failed for a reason that no client has") from error
    return kind(reason, printable(str(message), _SAID))
