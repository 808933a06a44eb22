"""One HTTP client of this host, over httpcore: no cookies, no environment, redirects by hand.

httpcore is the transport of httpx. It is used directly because it lets the connection be made by hand (``wire``), where
a redirect's address is judged, and because importing httpx alone costs more than a small update does.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpcore

from pawld import __version__
from pawld.errors import RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http.answers import Answer, Headers, Reply
from pawld.system.http.faults import network_errors
from pawld.system.http.hop import LEADS, Hop
from pawld.system.http.pools import Pem, Pools
from pawld.system.http.reach import Reach, after
from pawld.system.http.readings import READINGS, Reading
from pawld.system.http.urls import Address, UrlError, address_of, following, shown
from pawld.system.http.wire import Patience

MAX_HOPS = 5
MiB = 1024 * 1024  # bytes
USER_AGENT = f"pawld/{__version__}"
STALL = timedelta(seconds=30)
DEADLINE = timedelta(hours=12)  # for a transfer whose caller names none
HEAD_DEADLINE = timedelta(minutes=2)  # until the head of an answer is there, all hops together
MIRROR_PATIENCE = timedelta(seconds=3)  # until a mirror answers: it is quick, or it is no help
_TAKEN = range(200, 300)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NONE: Mapping[str, str] = {}


class Web:
    """One HTTP client of this host; safe to use from several threads.

    Args:
        proxy: used for everything but loopback addresses; variables of the environment are not looked at.
        ca_file: PEM certificates that are trusted beside the system's own.
        stall: the longest silence on a connection.
        user_agent: what servers are told.

    Attributes:
        reads_apart: whether answers are read by another process, which may do nothing.

    ``OperatorError`` (config_invalid) where *proxy* is not a proxy's URL.
    """

    reads_apart = False

    def __init__(
        self,
        *,
        proxy: str | None = None,
        ca_file: Path | Pem | None = None,
        stall: timedelta = STALL,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._pools = Pools(proxy, ca_file)
        self._stall = stall
        self._user_agent = user_agent

    @contextmanager
    def get(
        self, location: Location, *, headers: Mapping[str, str] = _NONE, deadline: timedelta | None = None
    ) -> Iterator[Answer]:
        """Ask for *location* and follow its redirects (at most 5); any other status is handed on.

        The location's own headers and *headers* go to its origin alone; of them, a host that it redirects to is sent
        ``Range`` and ``If-Range``. *deadline* is for the whole, head and body.

        ``RejectedError`` (redirect_refused); ``TransientError`` (redirect_loop) and for what the network does.
        """
        whole = deadline or DEADLINE
        stall, head = (MIRROR_PATIENCE, MIRROR_PATIENCE) if location.mirror else (self._stall, HEAD_DEADLINE)
        patience = Patience.within(min(stall, self._stall), min(head, whole))
        answer = self._followed(location, headers, patience)
        patience.extend(self._stall, whole)
        try:
            yield answer
        finally:
            answer.response.close()

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
        """Make one request and return its whole answer, at most *limit* bytes; redirects are not followed.

        ``TransientError`` where the network fails; (answer_not_understood) where the body is longer.
        """
        hop = Hop(method, _first(url), headers, body)
        with self._answered(hop, deadline) as answer:
            whole = answer.whole(limit)
        return self._replied(answer, whole, hop)

    def fetch(self, location: Location, *, limit: int = MiB, deadline: timedelta = timedelta(seconds=60)) -> Reply:
        """Return the whole answer of *location*, at most *limit* bytes, after its redirects; errors as of both."""
        with self.get(location, deadline=deadline) as answer:
            whole = answer.whole(limit)
        return self._replied(answer, whole, Hop("GET", _first(answer.url), location.headers))

    def read(self, reading: Reading, body: bytes, hop: Hop) -> Any:  # noqa: ARG002 - one process reads for all of them
        """Return what *body*, which answered *hop*, is read to be: a plain value, and believed in nothing."""
        return READINGS[reading](body)

    def tell(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] = _NONE,
        most: int = 0,
        deadline: timedelta = timedelta(seconds=60),
    ) -> Reply:
        """Post *body* to whoever says by the status alone what became of it; errors as ``call`` has.

        The reply holds the first *most* bytes of the answer: what a receiver goes on to say undoes nothing. Of a
        refusal alone it has the document.
        """
        hop = Hop("POST", _first(url), headers, body)
        with self._answered(hop, deadline) as answer:
            begun = answer.beginning(most)
        if answer.status in _TAKEN:
            return Reply(answer.status, answer.headers, begun, answer.url)
        return self._replied(answer, begun, hop)

    def ask(self, hop: Hop, patience: Patience) -> httpcore.Response:
        """Make this one request and return the head of its answer, which the caller closes; errors as ``get`` has.

        Where the answer redirects, its extension ``LEADS`` says how far that may lead.
        """
        address = hop.address
        with network_errors(address.url):
            request = httpcore.Request(
                hop.method,
                httpcore.URL(
                    scheme=address.scheme.encode(),
                    host=address.host.encode(),
                    port=address.port,
                    target=address.target.encode(),
                ),
                headers=self._head(hop),
                content=hop.body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), patience)},
            )
            reach = self._reach(hop.reach)
            response = self._pools.ask(request, address, reach)
        if response.status in _REDIRECTS:
            response.extensions[LEADS] = after(self._pools.peer(response, address), reach)
        return response

    def warm(self) -> None:
        """Begin ahead with what the first request would have to wait for; here there is nothing."""

    def close(self) -> None:
        """Close every connection; the next request opens new ones."""
        self._pools.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _answered(self, hop: Hop, deadline: timedelta) -> Iterator[Answer]:
        address = hop.address
        with closing(self.ask(hop, Patience.within(self._stall, deadline))) as response:
            yield Answer(response.status, Headers(response.headers), address.url, address.origin, 0, response)

    def _replied(self, answer: Answer, body: bytes, hop: Hop) -> Reply:
        said = self.read(Reading.OBJECT, body, hop) if body else None
        return Reply(answer.status, answer.headers, body, answer.url, said if isinstance(said, dict) else None)

    def _followed(self, location: Location, headers: Mapping[str, str], patience: Patience) -> Answer:
        first = address = _first(location.url)
        sent = {**location.headers, **headers}
        # An address out of an answer is as far from being trusted as one out of a redirect.
        reach: Reach | Address = _first(location.named_by) if location.named_by else Reach.ANYWHERE
        for hop in range(MAX_HOPS + 1):
            response = self.ask(Hop("GET", address, sent, reach=reach), patience)
            head = Headers(response.headers)
            if response.status not in _REDIRECTS:
                _check_end(response, address, first, location.final_hosts)
                return Answer(response.status, head, address.url, address.origin, hop, response)
            reach = response.extensions[LEADS]
            response.close()
            left, address = address, _next(address, head.get("location"))
            if address.origin != left.origin:  # for good: on the way back the path would be a stranger's choice
                sent = _for_strangers(sent)
        raise TransientError(Reason.REDIRECT_LOOP, f"{shown(first.url)} leads through more than {MAX_HOPS} redirects.")

    def _reach(self, reach: Reach | Address) -> Reach:
        return reach if isinstance(reach, Reach) else after(self._pools.address(reach), Reach.ANYWHERE)

    def _head(self, hop: Hop) -> list[tuple[bytes, bytes]]:
        """The request's headers: ours where the caller gave none, and ``Accept-Encoding`` always ours."""
        head = {"Host": hop.address.authority, "User-Agent": self._user_agent, "Accept": "*/*"}
        given = {name.title(): value for name, value in hop.headers.items()}
        head |= given | {"Accept-Encoding": "identity"}
        if hop.body is not None:
            head["Content-Length"] = str(len(hop.body))
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.items()]


def _first(url: str) -> Address:
    try:
        return address_of(url)
    except UrlError as error:
        raise RejectedError(Reason.REDIRECT_REFUSED, f"{shown(url)} is not fetched: {error}.") from error


def _next(address: Address, location: str | None) -> Address:
    try:
        return following(address, location)
    except UrlError as error:
        place = f"{shown(location)}, where nothing is fetched from" if location else "nowhere"
        raise RejectedError(Reason.REDIRECT_REFUSED, f"{shown(address.url)} redirects to {place}: {error}.") from error


def _for_strangers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() in ("range", "if-range")}


def _check_end(response: httpcore.Response, end: Address, first: Address, allowed: tuple[str, ...]) -> None:
    """Refuse an end that is not on the list, where there is one; the first host itself may always answer."""
    if not allowed or end.host == first.host or {end.host, end.authority} & {one.lower() for one in allowed}:
        return
    response.close()
    raise RejectedError(
        Reason.REDIRECT_REFUSED,
        f"{shown(first.url)} redirects to {end.host}, which is not one of its final hosts ({', '.join(allowed)}).",
    )
