"""Structured logs: one line an event, as text, as JSON or for journald, each through ``redacted``.

The root logger is set up, so that what libraries say comes the same way.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TextIO, assert_never

from pawld.ports import Event
from pawld.reasons import Exit, Reason
from pawld.report.journald import PRIORITY, SOCKET, JournalHandler
from pawld.report.redaction import redacted

_FIELDS = ("agent", "state", "reason", "version", "sha256")


class LogFormat(Enum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"
    JOURNAL = "journal"


class LogReporter:
    """Writes every event to the log, as loudly as its reason deserves."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("pawld")

    def report(self, event: Event) -> None:
        """Write one line."""
        fields = {
            "agent": event.agent,
            "state": event.state,
            "reason": event.reason.code,
            "version": event.version,
            "sha256": event.sha256,
        }
        self._logger.log(level_of(event.reason), "%s", event.message, extra={"pawld": fields, "at": event.at})


def level_of(reason: Reason) -> int:
    """Return how loud a reason is: information, a warning to try later, or an error."""
    if reason.exit in {Exit.DONE, Exit.UPDATE_AVAILABLE}:
        return logging.INFO
    return logging.WARNING if reason.exit in {Exit.TRY_LATER, Exit.NO_BUILD} else logging.ERROR


class LineFormatter(logging.Formatter):
    """Makes one redacted line of a record, whoever wrote it."""

    def __init__(self, form: LogFormat) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; line breaks inside it become spaces, but for a traceback's in JSON."""
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        fields = {name: value for name, value in getattr(record, "pawld", {}).items() if value is not None}
        at = getattr(record, "at", None) or datetime.fromtimestamp(record.created, UTC)
        match self._form:
            case LogFormat.JSON:
                head = {"at": at.isoformat(), "level": record.levelname.lower(), "logger": record.name}
                safe = {key: redacted(str(value)) for key, value in fields.items()}
                return json.dumps({**head, "message": redacted(message), **safe}, ensure_ascii=False)
            case LogFormat.JOURNAL:  # journald reads the level off <N>, and knows the time itself
                return f"<{PRIORITY.get(record.levelno, 6)}>{_flat(message)}{_pairs(fields)}"
            case LogFormat.TEXT:
                stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                return f"{stamp} {record.levelname.lower()} {_flat(message)}{_pairs(fields)}"
            case _:
                assert_never(self._form)


def log_to(stream: TextIO | None, form: LogFormat, level: str) -> None:
    """Send every logger's records of at least *level* to *stream* (default: stderr), in place of an earlier call's."""
    handler: logging.Handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(form))
    if form is LogFormat.JOURNAL and stream is None and SOCKET.exists():
        handler = JournalHandler(handler)
        handler.setFormatter(LineFormatter(form))
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one.formatter, LineFormatter)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a log that cannot be written stops nothing


def format_for(wish: str, *, journal: bool) -> LogFormat:
    """Return the form that the configuration wishes; ``auto`` is journald's where *journal* says that it reads us."""
    if wish == "auto":
        return LogFormat.JOURNAL if journal else LogFormat.TEXT
    return LogFormat(wish)


def _flat(message: str) -> str:
    return redacted(" ".join(message.split("\n")))


def _pairs(fields: dict[str, Any]) -> str:
    """Write the fields that a text line shows, in their order, quoted where they hold blanks."""
    shown = [(name, redacted(str(fields[name]))) for name in _FIELDS if name in fields]
    return "".join(f" {name}={json.dumps(value) if ' ' in value else value}" for name, value in shown)
