"""Huawei's request signature, ``SDK-HMAC-SHA256``, as its gateway checks it. Pure: the time comes in.

After the "API Request Signing Guide" of Huawei Cloud; the two known answers in the tests are those of its Python SDK.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pawld.values import dataclass

ALGORITHM = "SDK-HMAC-SHA256"
CLOCK_TOLERANCE = timedelta(minutes=15)  # the gateway refuses a signature that is older or newer


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key with its secret; *security_token* belongs to temporary ones."""

    access: str
    secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


def signed_headers(
    keys: Keys, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers that sign a request which is sent to *url* with *headers* and *body*.

    Host and every one of *headers* are signed; what a proxy or the client adds later is not.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Sdk-Date": stamp}
    if keys.security_token:
        added["X-Security-Token"] = keys.security_token
    covered = {name.lower(): value.strip() for name, value in {**headers, **added}.items()}
    covered["host"] = _host(url)
    names = ";".join(sorted(covered))
    signature = _signature(keys.secret, stamp, _canonical(method, url, covered, names, body))
    added["Authorization"] = f"{ALGORITHM} Access={keys.access}, SignedHeaders={names}, Signature={signature}"
    return added


def _canonical(method: str, url: str, covered: Mapping[str, str], names: str, body: bytes) -> str:
    parts = urlsplit(url)
    path = "/".join(_quoted(unquote(one)) for one in parts.path.split("/"))
    pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
    return "\n".join(
        (
            method,
            path if path.endswith("/") else path + "/",  # in this form only; the request has none
            "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs),
            *(f"{name}:{covered[name]}" for name in sorted(covered)),
            "",
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )


def _host(url: str) -> str:
    """The ``Host`` header as it is sent: in lower case, without the port that the scheme implies."""
    host, colon, port = urlsplit(url).netloc.lower().rpartition(":")
    implied = "443" if url.startswith("https:") else "80"
    return host if colon and port == implied else urlsplit(url).netloc.lower()


def _signature(secret: str, stamp: str, canonical: str) -> str:
    text = f"{ALGORITHM}\n{stamp}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _quoted(text: str) -> str:
    return quote(text, safe="~")
