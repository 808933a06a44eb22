"""An address answers. What it says of the build depends on where it is.

The agent's own endpoint on loopback speaks for the agent: refused, hanging or a wrong status is sick. Anything else
lies behind a network, so it counts only if it answered before the swap, and never for a fault of the way there: DNS,
connections, TLS, 408, 429, 502 to 504, or an answer out of a cache.
"""

import secrets
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from pawld.errors import PawldError
from pawld.model import Location, Slot
from pawld.ports import Finding, Healthy, Sick, Unclear
from pawld.reasons import Reason
from pawld.system.http import Answer, Web, checked_url, shown
from pawld.system.http.urls import is_loopback

EVERY = timedelta(seconds=10)
LIMIT = timedelta(seconds=10)

_FRESH = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}
_SUCCESS = 2  # the first digit
_OF_THE_WAY = frozenset({408, 429, 502, 503, 504})
_OF_THE_AGENT = (
    Reason.UNREACHABLE,
    Reason.TIMED_OUT,
    Reason.TRANSFER_STALLED,
    Reason.TRANSFER_CUT,
    Reason.ANSWER_NOT_UNDERSTOOD,
)


class HttpCheck:
    """Asks *url* with a nonce in its query, so that no cache can answer for the agent.

    Args:
        status: the one status that is healthy; None takes any from 200 to 299.
    """

    def __init__(
        self,
        url: str,
        web: Web,
        *,
        status: int | None = None,
        every: timedelta = EVERY,
        limit: timedelta = LIMIT,
        name: str = "http",
    ) -> None:
        self.name = name
        self.every = every
        self._url = checked_url(url, f"the health check {name}")
        self._web = web
        self._status = status
        self._limit = limit
        self._local = is_loopback(urlsplit(url).hostname or "")
        self._answered_before = False

    def begin(self) -> None:
        """Note whether a remote address answers well before the swap."""
        self._answered_before = self._local or isinstance(self._look(), Healthy)

    def check(self, slot: Slot) -> Finding:  # noqa: ARG002 - the port's form; an address is the same for any slot
        """Ask once."""
        finding = self._look()
        if isinstance(finding, Sick) and not self._local and not self._answered_before:
            return Unclear(f"{finding.detail} It did not answer well before the swap either.")
        return finding

    def _look(self) -> Finding:
        location = Location(_with_nonce(self._url))
        try:
            with self._web.get(location, headers=_FRESH, deadline=self._limit) as answer:
                return self._judged(answer)
        except PawldError as error:
            if self._local and error.reason in _OF_THE_AGENT:
                return Sick(error.message)
            return Unclear(error.message)

    def _judged(self, answer: Answer) -> Finding:
        where = shown(self._url)
        if answer.headers.get("Age", "0").strip() not in ("", "0"):
            return Unclear(f"{where} was answered by a cache.")
        if answer.status == self._status or (self._status is None and answer.status // 100 == _SUCCESS):
            return Healthy(f"{where} answered {answer.status}.")
        told = f"{where} answered {answer.status}."
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS or (answer.status in _OF_THE_WAY and not self._local):
            return Unclear(told)
        return Sick(told)


def _with_nonce(url: str) -> str:
    parts = urlsplit(url)
    nonce = f"pawld-probe={secrets.token_hex(8)}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{nonce}" if parts.query else nonce, fragment=""))
