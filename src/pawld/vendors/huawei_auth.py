"""Who asks Huawei's services: a token from elsewhere, or an access key that signs each request.

The third way, a token for a password, is in ``huawei_password``.
"""

from collections.abc import Mapping
from datetime import timedelta

from pawld.system.secret import Secret
from pawld.vendors.api import Now, Request, header_text
from pawld.vendors.huawei_signature import CLOCK_TOLERANCE, Keys, signed_headers


class TokenAuth:
    """``X-Auth-Token`` from a file, a variable or a command: whoever writes it there also renews it."""

    clock_tolerance: timedelta | None = None

    def __init__(self, token: Secret) -> None:
        self._token = token

    def headers(self, request: Request) -> Mapping[str, str]:  # noqa: ARG002 - the same for every request
        """Return the one header; ``OperatorError`` where the secret is missing or exposed."""
        return {"X-Auth-Token": header_text(self._token)}

    def renew(self) -> bool:
        """Nothing is kept; the secret is read at each use."""
        return False

    def describe(self) -> str:
        """Return where the token lies."""
        return self._token.describe()


class KeyAuth:
    """Signs each request with AK/SK; temporary keys bring a security token.

    Args:
        project_id: the IAM project, sent as ``X-Project-Id``; not the CodeArts project that paths name.
    """

    clock_tolerance: timedelta | None = CLOCK_TOLERANCE

    def __init__(
        self,
        access: Secret,
        secret: Secret,
        now: Now,
        *,
        security_token: Secret | None = None,
        project_id: str | None = None,
    ) -> None:
        self._access = access
        self._secret = secret
        self._security_token = security_token
        self._now = now
        self._extra = {"X-Project-Id": project_id} if project_id else {}

    def headers(self, request: Request) -> Mapping[str, str]:
        """Return the headers that sign *request* as of now; ``OperatorError`` where a key is missing or exposed."""
        token = header_text(self._security_token) if self._security_token else None
        keys = Keys(header_text(self._access), self._secret.read(), token)
        headers = {**request.headers, **self._extra}
        signed = signed_headers(keys, request.method, request.url, headers, request.body, self._now())
        return {**self._extra, **signed}

    def renew(self) -> bool:
        """Each request is signed anew; asking twice would only bring the key's lock nearer."""
        return False

    def describe(self) -> str:
        """Return where both halves lie."""
        return f"{self._access.describe()} and {self._secret.describe()}"
