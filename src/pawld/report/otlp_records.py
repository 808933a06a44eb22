"""A letter as an OpenTelemetry log record. The only importer of the SDK's logs; imported when it is needed."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from pawld import __version__
from pawld.reasons import Reason
from pawld.report.letter import Letter
from pawld.report.logs import level_of

EVENT = "pawld.outcome"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCOPE = InstrumentationScope("pawld", __version__)
_SEVERITIES = {20: SeverityNumber.INFO, 30: SeverityNumber.WARN, 40: SeverityNumber.ERROR}  # by the log's own level

_ATTRIBUTES = {
    "id": "log.record.uid",
    "agent": "pawld.agent",
    "state": "pawld.state",
    "channel": "pawld.channel",
    "platform": "pawld.platform",
    "from_version": "pawld.version.from",
    "version": "pawld.version.to",
    "installed": "pawld.version.installed",
    "sha256": "pawld.sha256",
    "cohort": "pawld.cohort",
}
"""The attribute that each member of a document becomes: these and no others, so that none can hold an address."""


def encoded(letter: Letter, host_id: str) -> bytes:
    """Return the request that exports *letter*."""
    document = letter.document
    severity = _severity(document["reason"]["code"])
    record = LogRecord(
        timestamp=nanoseconds(datetime.fromisoformat(document["at"])),
        severity_number=severity,
        severity_text=severity.name,
        body=document["reason"]["message"],
        attributes=_attributes(document, letter.lost),
        event_name=EVENT,
    )
    request = encode_logs([ReadableLogRecord(record, resource_of(host_id), SCOPE)])
    return bytes(request.SerializeToString())


def rejected(answer: bytes) -> tuple[int, str]:
    """Return how many records the collector rejected, and why; ``ValueError`` for what is no answer to an export."""
    partial = kept_in_part(ExportLogsServiceResponse, answer)
    return partial.rejected_log_records, partial.error_message


def kept_in_part(form: type[Any], answer: bytes) -> Any:
    """Return what a collector's *answer* of this *form* says that it did not keep; ``ValueError`` as ``rejected``."""
    try:
        return form.FromString(answer).partial_success
    except DecodeError as error:
        raise ValueError(str(error)) from error


def resource_of(host_id: str) -> Resource:
    """Return who speaks; made by hand, so that nothing is read from the environment."""
    return Resource(
        {"service.name": "pawld", "service.version": __version__, "service.instance.id": host_id, "host.id": host_id}
    )


def nanoseconds(moment: datetime) -> int:
    """Return the nanoseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _severity(code: str) -> SeverityNumber:
    """A newer pawld, since taken back, may have spooled a code that this one does not know."""
    with suppress(KeyError):
        return _SEVERITIES[level_of(Reason.of(code))]
    return SeverityNumber.WARN


def _attributes(document: Mapping[str, Any], lost: int) -> dict[str, Any]:
    told = {name: document.get(key) for key, name in _ATTRIBUTES.items()}
    more = {"pawld.reason.code": document["reason"]["code"], "pawld.reports.lost": lost}
    return {name: value for name, value in (told | more).items() if value is not None}
