"""A Huawei IAM token for a user's password: asked for once, kept, renewed before it ends.

IAM: ``POST {iam_url}/v3/auth/tokens`` answers with the token in ``X-Subject-Token`` and its end in
``token.expires_at``, 24 hours later. IAM locks an account after a few wrong passwords, so a refused one is not sent
again until it was changed.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pawld.errors import OperatorError, PawldError
from pawld.reasons import Reason
from pawld.system.files import write_durably
from pawld.system.http import Reply, Web, checked_url
from pawld.system.secret import Secret
from pawld.values import dataclass
from pawld.vendors.api import DEADLINE, LIMIT, Now, Request, misunderstood
from pawld.vendors.faults import fault

LIFETIME = timedelta(hours=24)  # of a token, where IAM does not say; never more
EARLY = timedelta(minutes=5)  # so long before its end a token is renewed
_VENDOR = "Huawei IAM"


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    until: datetime


class PasswordAuth:
    """``X-Auth-Token`` for a user name and a password.

    Args:
        domain: the account that the user belongs to.
        project: the IAM project (a region's name such as ``cn-north-4``) that the token is for; None: the account.
        cache: a file that keeps the token over restarts, for its owner alone.
    """

    clock_tolerance: timedelta | None = None

    def __init__(
        self,
        web: Web,
        iam_url: str,
        domain: str,
        user: str,
        password: Secret,
        now: Now,
        *,
        project: str | None = None,
        cache: Path | None = None,
    ) -> None:
        self._web = web
        self._url = checked_url(iam_url.rstrip("/"), "The iam_url of Huawei") + "/v3/auth/tokens"
        self._domain = domain
        self._user = user
        self._project = project
        self._password = password
        self._now = now
        self._cache = cache
        self._token: _Token | None = None
        self._refusal: tuple[str, PawldError] | None = None
        self._lock = threading.Lock()

    def headers(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the same for every request
        """Return the one header, after a login where there is no fresh token; the login's failures are raised."""
        with self._lock:
            if not self._fresh(self._token):
                self._token = self._cached() or self._login()
            return {"X-Auth-Token": self._token.text if self._token else ""}

    def renew(self) -> bool:
        """Forget the token; the next request logs in."""
        with self._lock:
            self._token = None
            if self._cache:
                with suppress(OSError):  # the next login replaces it
                    self._cache.unlink()
        return True

    def describe(self) -> str:
        """Return whose token it is, and where the password lies."""
        return f"a token for the user {self._user}, whose password is in {self._password.describe()}"

    def _fresh(self, token: _Token | None) -> bool:
        return token is not None and EARLY < token.until - self._now() <= LIFETIME

    def _login(self) -> _Token:
        password = self._password.read()
        if self._refusal and self._refusal[0] == password:
            raise self._refusal[1]
        reply = self._web.call(
            "POST",
            self._url,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps(self._question(password)).encode(),
            limit=LIMIT,
            deadline=DEADLINE,
        )
        error = fault(reply, _VENDOR, now=self._now(), credential=self._password.describe(), hidden=[password])
        if error:
            self._refusal = (password, error) if error.reason is Reason.UNAUTHORIZED else None
            raise error
        self._refusal = None
        return self._kept(self._read(reply))

    def _question(self, password: str) -> dict[str, Any]:
        user = {"name": self._user, "password": password, "domain": {"name": self._domain}}
        scope = {"project": {"name": self._project}} if self._project else {"domain": {"name": self._domain}}
        return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}

    def _read(self, reply: Reply) -> _Token:
        text = reply.headers.get("x-subject-token", "")
        if not text or not text.isprintable():
            raise misunderstood(_VENDOR, "it holds no X-Subject-Token")
        stated = (reply.document or {}).get("token")
        stated = stated if isinstance(stated, dict) else {}
        now = self._now()
        end, begin = _moment(stated.get("expires_at")), _moment(stated.get("issued_at")) or now
        # Counted from our own now: IAM's clock and this host's need not agree.
        lifetime = end - begin if end else LIFETIME
        return _Token(text, now + max(timedelta(0), min(lifetime, LIFETIME)))

    def _kept(self, token: _Token) -> _Token:
        if self._cache:
            content = {"for": self._identity(), "token": token.text, "until": token.until.isoformat()}
            with suppress(OSError):  # without it the next process logs in, and no more is lost
                write_durably(self._cache, json.dumps(content).encode(), mode=0o600)
        return token

    def _cached(self) -> _Token | None:
        """Return the token of an earlier process; a file missing, exposed, damaged or foreign is passed over."""
        if self._cache is None:
            return None
        try:
            content = json.loads(Secret.from_file(self._cache).read())
            token = _Token(str(content["token"]), datetime.fromisoformat(content["until"]).astimezone(UTC))
            return token if content["for"] == self._identity() and self._fresh(token) else None
        except (OperatorError, ValueError, KeyError, TypeError):
            return None

    def _identity(self) -> str:
        parts = (self._url, self._domain, self._user, self._project or "")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
