"""What a receiver's status means for the letter that it was sent."""

from datetime import datetime

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system.http import Reply, retry_after, shown

_TAKEN = range(200, 300)
_NEVER = frozenset({400, 410, 413, 414, 415, 422})
"""It is this very letter that is not wanted. Every other 4xx speaks of the address, the token or the pace, which an
operator mends: the letter waits. OTLP's specification would drop those too; it does not reckon with a spool."""
_CREDENTIALS = frozenset({401, 403, 407})
_TOO_MANY = 429


def check_taken(reply: Reply, who: str, now: datetime) -> None:
    """Return where the letter was taken.

    ``RejectedError`` (bad_request) where it never will be; ``OperatorError`` (unauthorized) where credentials are
    wrong; ``TransientError`` (rate_limited, server_error), with what ``Retry-After`` asks, for everything else.
    """
    if reply.status in _TAKEN:
        return
    told = f"The {who} {shown(reply.url)} answered {reply.status}"
    asked = retry_after(reply.headers, now)
    if reply.status in _NEVER:
        raise RejectedError(Reason.BAD_REQUEST, f"{told}: it will never take it.")
    if reply.status in _CREDENTIALS:
        raise OperatorError(Reason.UNAUTHORIZED, f"{told}: it does not accept the credentials.", retry_after=asked)
    reason = Reason.RATE_LIMITED if reply.status == _TOO_MANY else Reason.SERVER_ERROR
    raise TransientError(reason, f"{told}.", retry_after=asked)
