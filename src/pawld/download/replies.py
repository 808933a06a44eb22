"""What an answer to a download means: from which byte it goes on, or why it does not. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import Record
from pawld.reasons import Reason
from pawld.system.http import Answer, retry_after, shown

_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
_EXPIRED = frozenset({403, 404, 410})
_Meaning = tuple[type[PawldError], Reason, str]
_MEANINGS: dict[int, _Meaning] = {
    401: (OperatorError, Reason.UNAUTHORIZED, "does not accept the credentials"),
    403: (OperatorError, Reason.FORBIDDEN, "does not allow this download"),
    404: (TransientError, Reason.NOT_FOUND, "does not exist"),
    408: (TransientError, Reason.TIMED_OUT, "gave up waiting"),
    410: (TransientError, Reason.NOT_FOUND, "does not exist any more"),
    429: (TransientError, Reason.RATE_LIMITED, "asks for fewer requests"),
}


class RangeUnusableError(TransientError):
    """This server does not go on where the file ends; the transfer has to start anew."""


class ExpiredRedirectError(TransientError):
    """The host that was redirected to refuses, as one does whose signed URL has expired; the API may name a new one."""


def starts_at(answer: Answer, asked: int, record: Record, now: datetime) -> int:
    """Return the byte at which the body begins: *asked*, or 0 where the server sends the whole again.

    ``RejectedError`` (length_mismatch) where the server says another length than the record; ``RangeUnusableError``
    where its range is not the one that was asked for; else what the status says.
    """
    match answer.status:
        case 200:
            _check_length(answer, 0, record)
            return 0
        case 206 if asked:
            _check_range(answer, asked, record)
            _check_length(answer, asked, record)
            return asked
        case 416 if asked:
            raise RangeUnusableError(
                Reason.ANSWER_NOT_UNDERSTOOD, f"{shown(answer.url)} has nothing beyond the {asked} bytes that are here."
            )
        case _:
            raise refusal(answer, now)


def measured(answer: Answer, record: Record) -> Record:
    """Return *record* with the length that the answer announces, where only a digest is signed; never above its cap.

    ``RejectedError`` (length_mismatch) above the cap; ``TransientError`` (answer_not_understood) where none is said.
    """
    if record.length_signed or answer.status not in (200, 206):
        return record
    numbers = _numbers(answer.headers.get("content-range", ""))
    total = numbers[2] if numbers else _announced(answer.headers)
    if total is None:
        raise TransientError(
            Reason.ANSWER_NOT_UNDERSTOOD,
            f"{shown(answer.url)} does not say how long the build is, and neither does what is signed.",
        )
    if total > record.length:
        raise too_long(answer.url, record)
    return replace(record, length=total)


def refusal(answer: Answer, now: datetime) -> PawldError:
    """Return the error that a status other than 200 and 206 means."""
    kind, reason, words = _meaning(answer)
    if answer.hops and answer.status in _EXPIRED:
        kind = ExpiredRedirectError
    message = f"{shown(answer.url)} {words} ({answer.status})."
    return kind(reason, message, retry_after=retry_after(answer.headers, now))


def _meaning(answer: Answer) -> _Meaning:
    status = answer.status
    if answer.hops and status in (401, 403):
        return TransientError, Reason.FORBIDDEN, "is where the download is redirected to, and refuses it"
    if status in _MEANINGS:
        return _MEANINGS[status]
    if status >= 500:  # noqa: PLR2004 - the server errors
        return TransientError, Reason.SERVER_ERROR, "fails"
    if status >= 400:  # noqa: PLR2004 - the other client errors
        return OperatorError, Reason.BAD_REQUEST, "does not accept the request"
    return TransientError, Reason.ANSWER_NOT_UNDERSTOOD, "answers a download in a way that is not understood"


def too_long(url: str, record: Record) -> RejectedError:
    """Return the error for a body that goes beyond the signed length."""
    return RejectedError(
        Reason.LENGTH_MISMATCH, f"{shown(url)} sends more than the {record.length} bytes that are allowed."
    )


def _check_range(answer: Answer, asked: int, record: Record) -> None:
    value = answer.headers.get("content-range", "")
    if _numbers(value) != (asked, record.length - 1, record.length):
        raise RangeUnusableError(
            Reason.ANSWER_NOT_UNDERSTOOD,
            f"{shown(answer.url)} answers with the range {value[:64]!r} where bytes {asked} to {record.length - 1} of "
            f"{record.length} were asked for.",
        )


def _numbers(value: str) -> tuple[int, ...]:
    found = _RANGE.fullmatch(value)
    return tuple(int(one) for one in found.groups()) if found else ()


def _check_length(answer: Answer, start: int, record: Record) -> None:
    """Compare the announced length, where there is one, before a single byte is written."""
    announced = _announced(answer.headers)
    if announced is not None and start + announced != record.length:
        raise RejectedError(
            Reason.LENGTH_MISMATCH,
            f"{shown(answer.url)} offers {start + announced} bytes where the record states {record.length}.",
        )


def _announced(headers: Mapping[str, str]) -> int | None:
    value = headers.get("content-length", "")
    return int(value) if re.fullmatch(r"[0-9]{1,18}", value) else None
