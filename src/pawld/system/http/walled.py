"""The HTTP client whose work is done behind walls: no TLS and no HTTP is read by this process.

A child does one request at a time; who asks meanwhile gets another. What a child says is believed as little as what a
server says: it can refuse service, or hand over other bytes, and neither is trusted with more.
"""

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpcore

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system.http.behind_walls import (
    ASK,
    BEGIN,
    BLOCK,
    BODY,
    END,
    ERROR,
    HEAD,
    NEXT,
    READ,
    STOP,
    asked,
    beginning,
    cut,
    waits,
)
from pawld.system.http.children import Children, Confidant
from pawld.system.http.client import STALL, USER_AGENT, Web
from pawld.system.http.hop import LEADS, Hop
from pawld.system.http.reach import Reach
from pawld.system.http.readings import Reading
from pawld.system.http.urls import Address
from pawld.system.http.wire import Patience
from pawld.system.walls import BrokenChannelError, Child, Walls
from pawld.system.walls.channel import document_of
from pawld.system.walls.plain import LONGEST_VALUE
from pawld.system.words import printable

MODULE = "pawld.system.http.behind_walls"
WHAT = "talks to servers"
READING = timedelta(seconds=30)  # for a body that is here
SLACK = timedelta(seconds=15)  # beyond what the child itself may wait for a server
_SAID = 1000  # characters of a sentence
_LONGER = 3  # times as long as a body what it is read to be gets at most: `1,` becomes an integer of six bytes
_LEAST = 64  # bytes, beyond that
_LONGEST_HEAD = 256 * 1024  # bytes; the client reads 100 KiB of one
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
    """A ``Web`` whose requests are made by children behind *walls*; the other arguments are those of ``Web``.

    Where a redirect leads is judged here, and asked by a child that may know what goes there.
    """

    reads_apart = True

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
        self._proxy = proxy
        self._ca_file = ca_file
        self._children = Children(lambda: walls.begin(MODULE, WHAT), self._prepare)

    def ask(self, hop: Hop, patience: Patience) -> httpcore.Response:
        """Do as ``Web.ask``; ``TransientError`` (reader_failed) too."""
        with patience.paused():  # the start of a child may take longer than a mirror has
            confidant = self._children.lend(hop)
        talk = _Talk(confidant, self._children, patience)
        try:
            return talk.ask(hop)
        except BaseException:
            talk.close()
            raise

    def read(self, reading: Reading, body: bytes, hop: Hop) -> Any:
        """Do as ``Web.read``, in a child that could as well have sent another body; ``TransientError`` too."""
        talk = _Talk(self._children.lend(hop), self._children, Patience.within(READING, READING))
        with closing(talk):
            return talk.read(reading, body)

    def warm(self) -> None:
        """Begin to start a child; where that fails, the first request does it again and says why."""
        self._children.warm()

    def close(self) -> None:
        """End every child that nobody talks to; the next request starts a new one."""
        super().close()
        self._children.end()

    def _prepare(self, child: Child) -> None:
        child.look()
        try:
            authorities = _text_of(self._ca_file) if self._ca_file else None
            with child.faults():
                child.channel.tell(BEGIN, beginning(self._proxy, authorities, self._stall, self._user_agent))
        except PawldError:
            child.end()
            raise


def _text_of(ca_file: Path) -> str:
    """Read what the child may not; what stands around the certificates is of no use to it."""
    try:
        return ca_file.read_text("ascii", "replace")
    except OSError as error:
        raise OperatorError(
            Reason.CONFIG_INVALID, f"ca_file {ca_file} cannot be read as PEM certificates: {error.strerror}."
        ) from error


class _Talk:
    """One request to a child, and what it says to it: first the head, then the blocks of the body."""

    def __init__(self, confidant: Confidant, children: Children, patience: Patience) -> None:
        self._confidant = confidant
        self._children = children
        self._patience = patience
        self._channel = confidant.child.channel
        self._at_rest = False
        self._awaiting = True
        self._is_closed = False

    def ask(self, hop: Hop) -> httpcore.Response:
        """Ask, and return the head of the answer; the error that the child tells, or that it is one itself."""
        with self._confidant.child.faults():
            self._say(ASK, asked(hop, self._patience), hop.body or b"")
            response = _response_of(self._received(HEAD), hop, self)
        self._awaiting = False
        return response

    def read(self, reading: Reading, body: bytes) -> Any:
        """Return what *body* is read to be, a plain value; it comes without being asked for in parts."""
        read, most = bytearray(), min(LONGEST_VALUE, _LONGER * len(body) + _LEAST)
        with self._confidant.child.faults():
            self._say(READ, {"as": reading.value, "body": len(body)}, body)
            while not self._at_rest:
                read += self._received(BLOCK, END)
                if len(read) > most:
                    raise BrokenChannelError("it sent more than it may")
            return document_of(memoryview(read))

    def _say(self, kind: bytes, told: Any, body: bytes) -> None:
        _, whole = self._patience.remaining()
        self._channel.wait_for(whole + SLACK, whole=whole + SLACK)
        self._channel.tell(kind, told)
        for part in cut([body]):
            self._channel.put(BODY, part)
        self._channel.flush()

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body's blocks; one is asked for ahead, so that the child waits for servers and this end for it."""
        self._next()
        while not self._at_rest:
            with self._confidant.child.faults():
                block = self._received(BLOCK, END)
            if not self._at_rest:
                self._next()
                yield bytes(block)

    def close(self) -> None:
        """Leave the rest of the body, and give the child back where it is ready for another request."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._is_ready():
            self._children.take_back(self._confidant)
        else:
            self._confidant.child.end()

    def get_extra_info(self, info: str) -> Any:
        """Return what wakes a thread that reads the body, as httpcore's streams do."""
        return self._channel.connection if info == "socket" else None

    def _next(self) -> None:
        stall, whole = self._patience.remaining()
        self._channel.wait_for(stall + SLACK, whole=whole + SLACK)
        with self._confidant.child.faults():
            self._awaiting = True
            self._channel.tell(NEXT, waits(self._patience))
            self._channel.flush()

    def _is_ready(self) -> bool:
        if not self._at_rest and not self._awaiting:
            with suppress(BrokenChannelError):
                self._channel.send(STOP)
                return True
        return self._at_rest

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


def _response_of(content: memoryview, hop: Hop, talk: _Talk) -> httpcore.Response:
    """Read a head."""
    if len(content) > _LONGEST_HEAD:
        raise BrokenChannelError("it told a head that is longer than any it would read")
    try:
        status, pairs, leads = document_of(content)
        head = [(str(name).encode("latin-1"), str(value).encode("latin-1")) for name, value in pairs]
        extensions = {"network_stream": talk, LEADS: _no_further(Reach(leads), hop.reach)}
    except (ValueError, TypeError) as error:
        raise BrokenChannelError("it told the head of an answer in another form than it should") from error
    if type(status) is not int or status not in _STATUS:
        raise BrokenChannelError("it told a status that is none")
    return httpcore.Response(status, headers=head, content=talk, extensions=extensions)


def _no_further(told: Reach, before: Reach | Address) -> Reach:
    """What the child tells is its own to reach anyway, but nothing that was redirected leads anywhere."""
    return Reach.PUBLIC if before is Reach.PUBLIC or told is Reach.ANYWHERE else told


def _error_of(document: Any) -> PawldError:
    """Return what the child's client ended with, if it is one of the things that a client can end with."""
    try:
        code, message = document
        kind, reason = _ERRORS[code]
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenChannelError("it failed for a reason that no client has") from error
    return kind(reason, printable(str(message), _SAID))
