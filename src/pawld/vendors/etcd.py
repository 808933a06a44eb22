"""etcd's JSON gateway: the five calls that a leased semaphore needs, and how its refusals read.

Keys and values travel in base64, numbers as strings. A user signs in with a password for a simple token, which ends
after some idle minutes and is then asked for anew. Endpoints are tried in order, beginning with the last good one.

Gateway: https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/
"""

import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Reply, Web, checked_url
from pawld.system.secret import Secret
from pawld.values import dataclass
from pawld.vendors.api import header_text, misunderstood
from pawld.vendors.faults import plain

VENDOR = "etcd"
DEADLINE = timedelta(seconds=10)  # for one call to one endpoint
_LIMIT = 4 * 1024 * 1024  # bytes of an answer; ten thousand holders fit
_STALE = ("invalid auth token", "user name is empty", "revision of auth store is old")


@dataclass(frozen=True, slots=True)
class Login:
    """The etcd user."""

    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Held:
    """One key under a prefix: its value, and the lease that it lives by."""

    key: str
    value: str
    lease: str


class Etcd:
    """One cluster, as one user sees it. One thread at a time.

    Args:
        endpoints: base URLs of its members.
        deadline: for one call to one endpoint.
    """

    def __init__(
        self, web: Web, endpoints: Sequence[str], login: Login | None = None, *, deadline: timedelta = DEADLINE
    ) -> None:
        if not endpoints:
            raise OperatorError(Reason.CONFIG_INVALID, "An etcd cluster needs at least one endpoint.")
        self._web = web
        self._endpoints = [checked_url(one.rstrip("/"), "An endpoint of etcd") for one in endpoints]
        self._login = login
        self._deadline = deadline
        self._token: str | None = None

    def grant(self, ttl: timedelta) -> str:
        """Return a new lease that lasts *ttl* without a sign of life."""
        return _text(self._call("/v3/lease/grant", {"TTL": int(ttl.total_seconds())}), "ID")

    def keep_alive(self, lease: str) -> bool:
        """Renew the lease; False where it is over."""
        result = self._call("/v3/lease/keepalive", {"ID": lease}).get("result")
        left = str(result.get("TTL", "0")) if isinstance(result, dict) else "0"
        return left.isdecimal() and int(left) > 0

    def revoke(self, lease: str) -> None:
        """End the lease, and every key with it; one that is over is no error."""
        try:
            self._call("/v3/lease/revoke", {"ID": lease})
        except TransientError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise

    def below(self, prefix: str) -> list[Held]:
        """Return every key that begins with *prefix*, which ends with ``/``."""
        end = prefix[:-1] + chr(ord("/") + 1)
        answer = self._call("/v3/kv/range", {"key": _encoded(prefix), "range_end": _encoded(end)})
        found = answer.get("kvs", [])
        if not isinstance(found, list):
            raise misunderstood(VENDOR, "the keys of a range are no list")
        return [_held(one) for one in found]

    def create(self, key: str, value: str, lease: str) -> bool:
        """Write the key unless it is there; False where it is."""
        absent = {"key": _encoded(key), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}
        put = {"request_put": {"key": _encoded(key), "value": _encoded(value), "lease": lease}}
        return self._call("/v3/kv/txn", {"compare": [absent], "success": [put]}).get("succeeded") is True

    def _call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the endpoints in turn; the last one's error stands for all."""
        *others, last = list(self._endpoints)
        for endpoint in others:
            try:
                return self._asked(endpoint, path, body)
            except TransientError as error:
                if error.reason is Reason.NOT_FOUND:
                    raise
        return self._asked(last, path, body)

    def _asked(self, endpoint: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask this one, and begin with it the next time."""
        answer = self._signed_in(endpoint, path, body)
        self._endpoints.remove(endpoint)
        self._endpoints.insert(0, endpoint)
        return answer

    def _signed_in(self, endpoint: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if self._login is not None and self._token is None:
            self._token = self._authenticated(endpoint, self._login)
        reply = self._post(endpoint, path, body)
        if self._login is not None and any(one in _message(reply) for one in _STALE):
            self._token = self._authenticated(endpoint, self._login)
            reply = self._post(endpoint, path, body)
        return _understood(reply)

    def _authenticated(self, endpoint: str, login: Login) -> str:
        self._token = None
        reply = self._post(
            endpoint, "/v3/auth/authenticate", {"name": login.user, "password": header_text(login.password)}
        )
        if reply.status == HTTPStatus.BAD_REQUEST and "authentication failed" in _message(reply):
            raise OperatorError(
                Reason.UNAUTHORIZED,
                f"{VENDOR} refuses the user {login.user} with the password of {login.password.describe()}.",
            )
        return _text(_understood(reply), "token")

    def _post(self, endpoint: str, path: str, body: Mapping[str, Any]) -> Reply:
        headers = {"Content-Type": "application/json"} | ({"Authorization": self._token} if self._token else {})
        data = json.dumps(body).encode()
        return self._web.call(
            "POST", endpoint + path, headers=headers, body=data, limit=_LIMIT, deadline=self._deadline
        )


def _understood(reply: Reply) -> dict[str, Any]:
    said = reply.document
    if reply.status == HTTPStatus.OK and said is not None and "error" not in said:
        return said
    raise _fault(reply)


def _fault(reply: Reply) -> PawldError:
    told = f"{VENDOR} answered {reply.status}: {_message(reply) or 'nothing that is understood'}."
    if reply.status == HTTPStatus.NOT_FOUND:
        return TransientError(Reason.NOT_FOUND, told)
    if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return OperatorError(Reason.FORBIDDEN, told)
    if reply.status == HTTPStatus.BAD_REQUEST:
        return OperatorError(Reason.BAD_REQUEST, told)
    return TransientError(Reason.SERVER_ERROR, told)


def _message(reply: Reply) -> str:
    error = (reply.document or {}).get("error")
    return plain(str(error.get("message", "") if isinstance(error, dict) else error or ""), 240)


def _held(value: Any) -> Held:
    if not isinstance(value, dict):
        raise misunderstood(VENDOR, "a key in a range is no object")
    return Held(_decoded(value, "key"), _decoded(value, "value"), str(value.get("lease", "0")))


def _text(answer: Mapping[str, Any], field: str) -> str:
    value = answer.get(field)
    if not isinstance(value, str) or not value:
        raise misunderstood(VENDOR, f"it has no {field}")
    return value


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def _decoded(value: Mapping[str, Any], field: str) -> str:
    try:
        return b64decode(value.get(field, ""), validate=True).decode()
    except (NotBase64Error, UnicodeDecodeError, TypeError, ValueError):
        raise misunderstood(VENDOR, f"the {field} of a key is not base64 of text") from None
