"""One reading of every vendor's refusals: an answer becomes nothing, or an error that says what to do next.

    try later            429, 5xx, 404, a concurrency limit, and whatever nobody documented
    rejected             (never here: no refusal of an interface speaks about a build)
    a person is needed   400, 401, 402, 403, 422: never retried in a loop

The forms that are read: ``{"error": {"code", "message"}}`` (ScalePad, Huawei), ``{"error_code", "error_msg"}`` and
``{"errorCode", "errorMsg"}`` (Huawei), ``{"status": "error", "code", "message"}`` with or without ``errors``
(Prefactor); Huawei's also inside HTTP 200. The HTTP status decides first; the vendor's code decides where the
status tells too little. What a vendor says is shown cut short, without control characters, queries and credentials.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Reply, http_date, retry_after, shown
from pawld.values import dataclass

SHOWN_TEXT = 240  # characters of a vendor's message that are shown
SHOWN_CODE = 64
_LOOKED_AT = 8  # times as many characters as are shown
SHORTEST_SECRET = 4  # characters; a shorter one would be found inside common words

_Verdict = tuple[type[PawldError], Reason]

_BAD_REQUEST: _Verdict = (OperatorError, Reason.BAD_REQUEST)
_UNAUTHORIZED: _Verdict = (OperatorError, Reason.UNAUTHORIZED)
_FORBIDDEN: _Verdict = (OperatorError, Reason.FORBIDDEN)
_CLOCK: _Verdict = (OperatorError, Reason.CREDENTIAL_CLOCK)
_NOT_FOUND: _Verdict = (TransientError, Reason.NOT_FOUND)
_LIMITED: _Verdict = (TransientError, Reason.RATE_LIMITED)
_LATER: _Verdict = (TransientError, Reason.SERVER_ERROR)
_STRANGE: _Verdict = (TransientError, Reason.ANSWER_NOT_UNDERSTOOD)

_BY_STATUS: Mapping[int, _Verdict] = {
    401: _UNAUTHORIZED,
    402: _FORBIDDEN,  # ScalePad: the account has not subscribed to the product
    403: _FORBIDDEN,
    404: _NOT_FOUND,
    407: _UNAUTHORIZED,
    408: (TransientError, Reason.TIMED_OUT),
    410: _NOT_FOUND,
    425: _LATER,
    429: _LIMITED,
}
_CONCURRENCY = frozenset(  # CodeArts Pipeline: retryable under whatever status
    f"DEVPIPE.{number}" for number in ("00011104", "00011105", "00011169", "00011170")
)
_BY_CODE: Mapping[str, _Verdict] = {
    # CodeArts and its gateway
    "DEVPIPE.00011401": _NOT_FOUND,
    "DEVPIPE.00011203": _NOT_FOUND,
    "DEVPIPE.00011412": _FORBIDDEN,  # the project, or the caller's membership in it, is missing
    "DEV_21_100169": _FORBIDDEN,
    "DEVPIPE.00011136": _BAD_REQUEST,
    "PARSE_REQUEST_DATA_EXCEPTION": _BAD_REQUEST,
    "DEV.00000001": _UNAUTHORIZED,
    "BAD_REQUEST": _BAD_REQUEST,
    "INTERNAL_SERVER_ERROR": _LATER,
    "CC.00000000": _LATER,
    "CC.00000003": _UNAUTHORIZED,
    "APIGW.0101": _NOT_FOUND,
    "APIG.0101": _NOT_FOUND,
    # ScalePad has not_found only; the others are Prefactor's
    "not_found": _NOT_FOUND,
    "bad_request": _BAD_REQUEST,
    "bad_authtoken": _UNAUTHORIZED,
    "not_authenticated": _UNAUTHORIZED,
    "not_permitted": _FORBIDDEN,
    "not_implemented": _BAD_REQUEST,
    "unknown": _LATER,
    "unexpected": _LATER,
    "unexpected_ref_type": _BAD_REQUEST,
    "invalid_action": _BAD_REQUEST,
    "invalid_value": _BAD_REQUEST,
    "required_value": _BAD_REQUEST,
    "validation_errors": _BAD_REQUEST,
    "idempotency_key_already_used": _BAD_REQUEST,
}
_SKEW = re.compile(r"signature expired|x-sdk-date.{0,40}expired|signature time:.{0,40}server time:", re.IGNORECASE)
_QUERY = re.compile(r"(https?://[^\s?#\"']+)[?#][^\s\"']*")


@dataclass(frozen=True, slots=True)
class Words:
    """What a vendor said of its refusal, as it said it."""

    code: str
    message: str


def words(reply: Reply) -> Words | None:
    """Return the refusal that the body states, in any of the vendors' forms; None where it states none."""
    if reply.document is None:
        return None
    return _stated(reply.document) or (_nested(reply.document) if reply.status >= 400 else None)  # noqa: PLR2004 - HTTP's own limit


def fault(
    reply: Reply,
    vendor: str,
    *,
    now: datetime,
    credential: str = "",
    hidden: Sequence[str] = (),
    clock_tolerance: timedelta | None = None,
) -> PawldError | None:
    """Return the error that *reply* amounts to; None where it is a success with a JSON object.

    Args:
        reply: the whole answer.
        vendor: its name, for the sentence.
        now: this host's time, for ``Retry-After`` as a date and to see a wrong clock.
        credential: where the credential came from, in words; named where it was refused.
        hidden: the credentials that were sent; they are taken out of whatever the vendor says.
        clock_tolerance: how far the clocks may differ, where the credential holds a time; None where it does not.
    """
    said = words(reply)
    verdict = _verdict(reply, said, now, clock_tolerance)
    if verdict is None:
        return None
    kind, reason = verdict
    sentence = _sentence(reply, vendor, said, reason, hidden)
    if reason in _OF_CREDENTIALS and credential:
        sentence += f" The credential comes from {credential}."
    return kind(reason, sentence, retry_after=_patience(reply, now))


_OF_CREDENTIALS = frozenset({Reason.UNAUTHORIZED, Reason.FORBIDDEN, Reason.CREDENTIAL_CLOCK})


def plain(text: str, limit: int, hidden: Sequence[str] = ()) -> str:
    """Return *text* fit for a message: one line, no control characters, no query of a URL, no credential, cut short."""
    for secret in sorted((one for one in hidden if len(one) >= SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, "(hidden)")
    # Every word and character of what follows becomes an object of its own: 80 bytes for one beyond Latin-1.
    text = _QUERY.sub(r"\1", " ".join(text[: _LOOKED_AT * limit].split()))
    text = "".join(one for one in text if one.isprintable())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _verdict(reply: Reply, said: Words | None, now: datetime, tolerance: timedelta | None) -> _Verdict | None:
    status, code = reply.status, said.code if said else ""
    if 200 <= status < 300 and said is None:  # noqa: PLR2004 - HTTP's own limits
        return None if reply.document is not None else _STRANGE
    if status in (401, 403) and _skewed(reply, said, now, tolerance):
        return _CLOCK
    if code in _CONCURRENCY:
        return _LIMITED
    return _BY_STATUS.get(status) or _by_class(status, code)


def _by_class(status: int, code: str) -> _Verdict:
    if status >= 500:  # noqa: PLR2004 - HTTP's own limit
        return _LATER
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.endswith(".400"):  # CodeArts Check writes the status into its codes: CC.xxxxxxxx.400
        return _BAD_REQUEST
    if status >= 400:  # noqa: PLR2004 - HTTP's own limit
        return _BAD_REQUEST
    return _STRANGE if status >= 300 else _LATER  # noqa: PLR2004 - a redirect; or a refusal inside 200 of unknown code


def _skewed(reply: Reply, said: Words | None, now: datetime, tolerance: timedelta | None) -> bool:
    """Whether the clock is to blame: the gateway says so, or its own ``Date`` is too far from ours."""
    if tolerance is None:
        return False
    if said and _SKEW.search(said.message):
        return True
    theirs = http_date(reply.headers.get("date", ""))
    return theirs is not None and abs(theirs - now) > tolerance


def _patience(reply: Reply, now: datetime) -> timedelta | None:
    return retry_after(reply.headers, now) if reply.status in (429, 503) else None


def _sentence(reply: Reply, vendor: str, said: Words | None, reason: Reason, hidden: Sequence[str]) -> str:
    text = f"{vendor} answered {reply.status} for {shown(reply.url)}"
    if said:
        parts = (plain(said.code, SHOWN_CODE, hidden), plain(said.message, SHOWN_TEXT, hidden).rstrip("."))
        text += ", " + ": ".join(part for part in parts if part)
    elif reason is Reason.ANSWER_NOT_UNDERSTOOD:
        text += f" with {_kind(reply)} where a JSON object was due"
    return text + "."


def _kind(reply: Reply) -> str:
    if 300 <= reply.status < 400:  # noqa: PLR2004 - HTTP's own limits
        return "a redirect"
    kind = reply.headers.get("content-type", "").partition(";")[0]
    return plain(kind, SHOWN_CODE) or "something"


def _stated(value: Mapping[str, Any]) -> Words | None:
    """A refusal in the forms that the vendors use under any status."""
    error = value.get("error")
    if isinstance(error, dict) and any(one not in (None, "", {}, []) for one in error.values()):
        return Words(_text(error.get("code")), _text(error.get("message")))
    if error and not isinstance(error, dict):
        return Words(_text(error), _text(value.get("message")))
    for key, message in (("error_code", "error_msg"), ("errorCode", "errorMsg")):
        if value.get(key) not in (None, ""):
            return Words(_text(value[key]), _text(value.get(message)))
    if str(value.get("status", "")).lower() == "error":
        code = value.get("code") or value.get("httpStatus")  # CodeArts Check has the latter instead
        return Words(_text(code), _text(value.get("message")) + _fields(value.get("errors")))
    return None


def _nested(value: Mapping[str, Any], depth: int = 4) -> Words | None:
    """What Huawei's own SDK accepts beside it, and for failures alone: a bare code and message, and nested forms."""
    found = _stated(value)
    if found or not depth:
        return found
    if "code" in value and "message" in value:
        return Words(_text(value["code"]), _text(value["message"]))
    inner = (_nested(one, depth - 1) for one in value.values() if isinstance(one, dict))
    return next((one for one in inner if one), None)


def _fields(errors: object) -> str:
    """Prefactor's second form: which fields were refused."""
    return f" ({', '.join(sorted(map(str, errors)))})" if isinstance(errors, dict) and errors else ""


def _text(value: object) -> str:
    return (
        value if isinstance(value, str) else "" if value is None else json.dumps(value, default=ascii)
    )  # a reader that was turned tells bytes
