"""Posts to a collector by OTLP/HTTP (opentelemetry.io/docs/specs/otlp): each outcome as one log record.

A log record, because an outcome is an event: it has a moment, a sentence and a dozen exact facts, it happens some times
a month on a host, and a million hosts send nothing while nothing happens. A collector makes counters of them where it
wants some (its count connector); nobody can make the events out of counters. A span would claim a caller. The gauges
of ``metrics`` go the same way where nobody can scrape a host: ``otlp_metrics``.

What is sent are the SDK's own types in its own encoding, and they are imported when the first letter is sent, by the
process of a cycle: they cost it 0.2 s of CPU and 5 MB, and the idle daemon nothing. The SDK's exporter is not used:
it follows redirects with its headers, reads proxies and keys from the environment, sleeps between tries of its own,
and keeps what it could not send in memory. The spool, the proxy and the certificates of every other request serve.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.report.acknowledgement import check_taken
from pawld.report.letter import Letter
from pawld.report.metrics import Family
from pawld.system.http import Reply, Web, shown
from pawld.system.words import printable

LIMIT = timedelta(seconds=5)  # for one post, its answer included
_ANSWER_LIMIT = 64 * 1024  # bytes; of a longer answer to what was taken nothing is read
_LONGEST_TOLD = 200  # characters of what the collector says
_PROTOBUF = "application/x-protobuf"
_HEADER = re.compile(r"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100})\s*=\s*(\S[^\x00-\x1f\x7f]*)")

Rejected = Callable[[bytes], tuple[int, str]]
"""Reads out of an answer how many records were rejected, and why; ``ValueError`` where it is none of OTLP's."""


class SecretHeaders(Protocol):
    """A secret that is read at each use: ``name=value,name=value``, as ``OTEL_EXPORTER_OTLP_HEADERS`` is written."""

    def read(self) -> str:
        """Return it; ``OperatorError`` where it is missing."""


class Collector:
    """The OTLP interface at *url*, to which ``/v1/logs`` and ``/v1/metrics`` are added."""

    def __init__(self, web: Web, url: str, now: Callable[[], datetime], headers: SecretHeaders | None = None) -> None:
        self._web = web
        self._url = url
        self._now = now
        self._headers = headers

    def post(self, signal: str, body: bytes, rejected: Rejected) -> None:
        """Post one request; errors as ``outbox.Receiver`` has them."""
        parts = urlsplit(self._url)
        url = parts._replace(path=f"{parts.path.rstrip('/')}/v1/{signal}").geturl()
        headers = {**self._secret_headers(), "Content-Type": _PROTOBUF}
        reply = self._web.tell(url, body, headers=headers, most=_ANSWER_LIMIT, deadline=LIMIT)
        check_taken(reply, "collector", self._now())
        _check_whole(reply, rejected)

    def _secret_headers(self) -> Mapping[str, str]:
        if self._headers is None:
            return {}
        found = [_HEADER.fullmatch(pair) for pair in self._headers.read().split(",")]
        headers = {one[1]: unquote(one[2]).strip() for one in found if one is not None}
        if len(headers) != len(found) or not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise OperatorError(
                Reason.CONFIG_INVALID,
                'report.otlp_headers must read "name=value,name=value", each value percent-encoded.',
            )
        return headers


class OtlpLogs:
    """An ``outbox.Receiver``: each letter as one log record."""

    def __init__(self, collector: Collector, host_id: str) -> None:
        self._collector = collector
        self._host_id = host_id

    def send(self, letter: Letter) -> None:
        """Post it. ``OperatorError`` (config_invalid) where the SDK is not installed: the letter waits for it."""
        records = _sdk()
        self._collector.post("logs", records.encoded(letter, self._host_id), records.rejected)


class OtlpMetrics:
    """Posts the metrics as they stand. They are not spooled: what comes later says more than what did not arrive."""

    def __init__(self, collector: Collector, host_id: str) -> None:
        self._collector = collector
        self._host_id = host_id

    def send(self, families: Sequence[Family], now: datetime) -> None:
        """Post them; errors as those of ``OtlpLogs``."""
        _sdk()
        from pawld.report import otlp_metrics  # noqa: PLC0415 - heavy, and an extra

        body = otlp_metrics.encoded(families, now, self._host_id)
        self._collector.post("metrics", body, otlp_metrics.rejected)


def _sdk() -> Any:
    """Import the SDK here and nowhere else, so that its absence has one sentence."""
    try:
        from pawld.report import otlp_records  # noqa: PLC0415 - heavy, and an extra
    except ImportError as error:
        raise OperatorError(
            Reason.CONFIG_INVALID,
            "report.otlp_url needs OpenTelemetry's SDK, which is not installed here (the deb and the rpm hold none): "
            "run `pip install 'pawld[otel]'`, or use a webhook.",
        ) from error
    return otlp_records


def _check_whole(reply: Reply, rejected: Rejected) -> None:
    """See that it was a collector that answered, and that it kept everything."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    where = f"The collector {shown(reply.url)}"
    if kind == "text/html":
        raise TransientError(Reason.ANSWER_NOT_UNDERSTOOD, f"{where} answered with a web page, and is none.")
    if kind != _PROTOBUF or len(reply.body) == _ANSWER_LIMIT:
        return
    try:
        count, why = rejected(reply.body)
    except ValueError as error:
        raise TransientError(Reason.ANSWER_NOT_UNDERSTOOD, f"{where} did not answer in OTLP.") from error
    if count:
        raise RejectedError(Reason.BAD_REQUEST, f"{where} will never take it: {printable(why, _LONGEST_TOLD)}")
