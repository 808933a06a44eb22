"""One vendor's JSON interface: where it is, who asks, and what its refusals mean.

The credentials go to the origin of the base URL and nowhere else: redirects are not followed here.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from pawld.errors import OperatorError, PawldError, RejectedError
from pawld.reasons import Reason
from pawld.system.http import Reply, Web, checked_url
from pawld.system.secret import Secret
from pawld.values import dataclass
from pawld.vendors.faults import fault

Now = Callable[[], datetime]
"""Tells this host's time, aware, in UTC."""

DEADLINE = timedelta(seconds=30)  # for one call, from connecting to the last byte
LIMIT = 1024 * 1024  # bytes of an answer
_HARMLESS = frozenset({"X-Sdk-Date", "X-Project-Id"})  # a wrong clock can only be explained with the date
MOST_PAGES = 100  # of a list; a vendor that never ends one must not hold the updater


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it is signed. Its query may be a secret, so *url* is not shown."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Auth(Protocol):
    """Says who asks.

    Attributes:
        clock_tolerance: how far the clocks may differ, where the credential holds a time; else None.
    """

    clock_tolerance: timedelta | None

    def headers(self, request: Request) -> Mapping[str, str]:
        """Return the headers that make the request this account's; ``PawldError`` where there is no credential."""

    def renew(self) -> bool:
        """Forget what may have gone stale; True where asking once more makes sense."""

    def describe(self) -> str:
        """Return where the credential comes from, for a sentence."""


class Bearer:
    """``Authorization: Bearer …`` (RFC 6750), as ScalePad and Prefactor want it."""

    clock_tolerance: timedelta | None = None

    def __init__(self, token: Secret) -> None:
        self._token = token

    def headers(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the same for every request
        """Return the one header; ``OperatorError`` where the secret is missing or exposed."""
        return {"Authorization": f"Bearer {header_text(self._token)}"}

    def renew(self) -> bool:
        """Nothing is kept; the secret is read at each use."""
        return False

    def describe(self) -> str:
        """Return where the token lies."""
        return self._token.describe()


class Anonymous:
    """No credential at all."""

    clock_tolerance: timedelta | None = None

    def headers(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the same for every request
        """Return nothing."""
        return {}

    def renew(self) -> bool:
        """There is nothing to renew."""
        return False

    def describe(self) -> str:
        """Say that there is none."""
        return "nowhere: no token is configured"


class Api:
    """One vendor's interface.

    Args:
        vendor: its name in messages.
        base_url: what every path is appended to.
        headers: sent with every request beside the credential.
    """

    def __init__(
        self, web: Web, vendor: str, base_url: str, auth: Auth, now: Now, headers: Mapping[str, str] | None = None
    ) -> None:
        self.vendor = vendor
        self.base_url = checked_url(base_url.rstrip("/"), f"The base_url of {vendor}")
        if urlsplit(base_url).query or urlsplit(base_url).fragment:
            raise OperatorError(Reason.CONFIG_INVALID, f"The base_url of {vendor} must not hold a query or fragment.")
        self._web = web
        self._auth = auth
        self._now = now
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._hidden: list[str] = []

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object at *path*; a refusal is raised as ``faults`` reads it."""
        return self.understood(self.send("GET", path, query))

    def post(self, path: str, value: Any) -> dict[str, Any]:
        """Send *value* as JSON and return the JSON object that answers it."""
        return self.understood(self.send("POST", path, body=json.dumps(value, separators=(",", ":")).encode()))

    def send(self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Make one signed request, and once more where its credential had gone stale; any status is handed on."""
        reply = self._once(method, path, query, body)
        if self._refused(reply) and self._auth.renew():
            reply = self._once(method, path, query, body)
        return reply

    def understood(self, reply: Reply) -> dict[str, Any]:
        """Return the JSON object of a success; raise what the refusal means otherwise."""
        error = self.fault(reply)
        if error:
            raise error
        return reply.document or {}

    def fault(self, reply: Reply) -> PawldError | None:
        """Return the error that *reply* amounts to, with this interface's name and credential."""
        return fault(
            reply,
            self.vendor,
            now=self._now(),
            credential=self._auth.describe(),
            hidden=self._hidden,
            clock_tolerance=self._auth.clock_tolerance,
        )

    def credentials(self, path: str, query: Mapping[str, str] | None = None) -> tuple[str, Mapping[str, str]]:
        """Return the URL of *path*, and the headers with which the byte mover may ask for it."""
        request = Request("GET", self.url(path, query))
        return request.url, self._auth.headers(request)

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the absolute URL of *path*, whose parts are escaped already."""
        return f"{self.base_url}{path}" + (f"?{urlencode(query, quote_via=quote, safe='~')}" if query else "")

    def _once(self, method: str, path: str, query: Mapping[str, str] | None, body: bytes) -> Reply:
        headers = {**self._headers, **({"Content-Type": "application/json"} if body else {})}
        request = Request(method, self.url(path, query), headers, body)
        secret = self._auth.headers(request)
        values = [value for name, value in secret.items() if name not in _HARMLESS]
        self._hidden = [part for value in values for part in _parts(value)]
        return self._web.call(
            method, request.url, headers={**headers, **secret}, body=body or None, limit=LIMIT, deadline=DEADLINE
        )

    def _refused(self, reply: Reply) -> bool:
        error = self.fault(reply)
        return isinstance(error, OperatorError) and error.reason is Reason.UNAUTHORIZED


def _parts(value: str) -> list[str]:
    """Return a credential header's value, and what it is made of: a token, an access key, a signature."""
    words = value.replace(",", " ").split()[1:]  # without the scheme, which is no secret
    return [value, *words, *(word.partition("=")[2] for word in words)]


def segment(text: str) -> str:
    """Return *text* escaped as one segment of a path."""
    return quote(text, safe="")


def misunderstood(vendor: str, fact: str) -> RejectedError:
    """Return the error for an answer that is JSON, but not what was documented; *fact* is a phrase with a verb."""
    return RejectedError(Reason.ANSWER_NOT_UNDERSTOOD, f"The answer of {vendor} is not understood: {fact}.")


def header_text(secret: Secret) -> str:
    """Return the secret fit for a header; ``OperatorError`` where it holds what no header may carry."""
    text = secret.read()
    if not text.isascii():
        raise OperatorError(
            Reason.SECRET_MISSING, f"The secret in {secret.describe()} holds characters that no header may carry."
        )
    return text
