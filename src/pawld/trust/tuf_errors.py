"""python-tuf's errors in our words: which attack, or which fault, each of them stands for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
    SlowRetrievalError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system.http import shown
from pawld.trust.tuf_cache import trusted_root
from pawld.trust.tuf_fetcher import WebFetcher

_ROLE = re.compile(r"(?:New |Final )?(?P<role>.+?)(?:\.json)? is expired")

_STATUS = {
    HTTPStatus.NOT_FOUND: Reason.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.RATE_LIMITED,
}


@contextmanager
def tuf_errors(metadata_url: str, fetcher: WebFetcher, cache: Path) -> Iterator[None]:
    """Translate what python-tuf raises inside; ``OSError`` passes, for it is the cache's."""
    try:
        yield
    except ExpiredMetadataError as error:
        raise RejectedError(Reason.METADATA_FROZEN, _frozen(str(error), fetcher, cache)) from error
    except BadVersionNumberError as error:
        raise RejectedError(
            Reason.ROLLBACK_SUSPECTED,
            f"{shown(metadata_url)} serves metadata of another version than it must be: {error}.",
        ) from error
    except UnsignedMetadataError as error:
        raise RejectedError(
            Reason.THRESHOLD_NOT_MET, f"Metadata of {shown(metadata_url)} is not signed as its keys demand: {error}."
        ) from error
    except (RepositoryError, DownloadLengthMismatchError) as error:
        raise RejectedError(
            Reason.METADATA_UNTRUSTED, f"Metadata of {shown(metadata_url)} is not valid: {error}."
        ) from error
    except DownloadError as error:
        raise _not_fetched(error) from error


def _not_fetched(error: DownloadError) -> PawldError:
    if isinstance(error.__cause__, PawldError):
        return error.__cause__
    if not isinstance(error, DownloadHTTPError):
        late = isinstance(error, SlowRetrievalError)
        return TransientError(Reason.TIMED_OUT if late else Reason.UNREACHABLE, f"{error}.")
    status = error.status_code
    if status == HTTPStatus.UNAUTHORIZED:
        return OperatorError(Reason.UNAUTHORIZED, f"{error}.")
    if status == HTTPStatus.FORBIDDEN:
        return OperatorError(Reason.FORBIDDEN, f"{error}.")
    fallback = Reason.SERVER_ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Reason.ANSWER_NOT_UNDERSTOOD
    return TransientError(_STATUS.get(HTTPStatus(status), fallback) if _known(status) else fallback, f"{error}.")


def _known(status: int) -> bool:
    return status in HTTPStatus._value2member_map_


def _frozen(message: str, fetcher: WebFetcher, cache: Path) -> str:
    """Name the role and its date: the expired document is the one fetched last, or for the root the one kept."""
    found = _ROLE.fullmatch(message)
    role = found["role"] if found else "metadata"
    try:
        data = trusted_root(cache).read_bytes() if role == "root" else fetcher.last
        expired: Metadata[Any] = Metadata.from_bytes(data)
        date = f" on {expired.signed.expires:%Y-%m-%d %H:%M} UTC"
    except (OSError, RepositoryError):
        date = ""
    return f"The signed {role} metadata expired{date}, so nothing newer can be told from something held back."
