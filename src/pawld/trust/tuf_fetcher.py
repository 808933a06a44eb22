"""python-tuf's network port on our own HTTP client: redirects by hand, one deadline and one cap for a whole refresh.

GET alone and never twice. Errors are converted inside the generator, where python-tuf would let them escape; our own
error travels as the cause, so that nothing of what it tells is lost.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, SlowRetrievalError

from pawld.errors import PawldError
from pawld.formats.metadata import MOST_METADATA
from pawld.model import Location
from pawld.ports import Clock
from pawld.system.http import Web, shown
from pawld.trust.tuf_client import FetcherInterface

_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_KEPT = "!#$&'()*+,/:;=?@[]~"  # RFC 3986, what a URL may hold as it is

TOTAL_CAP = 64 * 1024 * 1024  # bytes of metadata in one refresh; a real one takes a few kB
MOST_VALUES = 50_000  # in a document of MOST_METADATA; each takes many times its length, before anything is verified
_PLAIN_ABOVE = 8  # one character beyond ASCII makes four bytes of each: an eighth of the limit is what may have any


class WebFetcher(FetcherInterface):
    """Fetches for one refresh.

    Attributes:
        last: the last metadata document that came whole; it names the expired one in a message.
    """

    def __init__(
        self, web: Web, clock: Clock, deadline: timedelta, longest: int = MOST_METADATA, total: int = TOTAL_CAP
    ) -> None:
        self.last = b""
        self._web = web
        self._clock = clock
        self._end = clock.monotonic() + deadline.total_seconds()
        self._left = total
        self._longest = longest

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            with self._web.get(Location(escaped(url)), deadline=self._remaining(url)) as answer:
                if answer.status != HTTPStatus.OK:
                    raise DownloadHTTPError(f"{shown(url)} answered {answer.status}", answer.status)
                for block in answer.blocks():
                    self._remaining(url)
                    yield block
        except PawldError as error:
            raise DownloadError(error.message) from error

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Fetch one metadata document into memory; python-tuf would spool it into the shared temporary folder."""
        data, limit = bytearray(), min(max_length, self._left, self._longest)
        blocks = self._fetch(url)
        try:
            for block in blocks:
                data += block
                if len(data) > limit:
                    raise DownloadLengthMismatchError(f"{shown(url)} is longer than the {limit} bytes that it may have")
        finally:
            _close(blocks)
        self._check_what_it_unfolds_to(url, data)
        self._left -= len(data)
        self.last = bytes(data)
        return self.last

    def _check_what_it_unfolds_to(self, url: str, data: bytearray) -> None:
        """Everything is read before it is verified: what takes many times its length in memory is refused first."""
        most = MOST_VALUES * max(self._longest, MOST_METADATA) // MOST_METADATA
        if data.count(b",") + data.count(b"[") + data.count(b"{") > most:
            raise DownloadLengthMismatchError(f"{shown(url)} has more than the {most} values that it may have")
        if len(data) * _PLAIN_ABOVE > self._longest and not (data.isascii() and b"\\u" not in data):
            raise DownloadLengthMismatchError(
                f"{shown(url)} has {len(data)} bytes, characters beyond ASCII among them; only documents of at most "
                f"{self._longest // _PLAIN_ABOVE} bytes may have such"
            )

    def _remaining(self, url: str) -> timedelta:
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise SlowRetrievalError(f"The metadata took too long; the deadline came at {shown(url)}")
        return timedelta(seconds=left)


def escaped(url: str) -> str:
    """Escape what no URL may hold: a target's path is appended as it was signed, with spaces or letters of any script.

    What is escaped already stays, unless a lone percent sign shows that nothing was (as urllib3 has it, which
    python-tuf's own client uses).
    """
    return quote(url, safe=_KEPT if _STRAY.search(url) else f"{_KEPT}%")


def _close(blocks: Iterator[bytes]) -> None:
    """Close the connection now, not when the generator is collected."""
    close = getattr(blocks, "close", None)
    if close is not None:
        close()
