import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report.logs import LogFormat, LogReporter, format_for, level_of, log_to

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT = Event(AT, "acme", "waiting", Reason.OUTSIDE_WINDOW, "The window opens later.", "1.9.0", "ab" * 32)


def logged(form: LogFormat, event: Event = EVENT) -> str:
    stream = io.StringIO()
    log_to(stream, form, "info")
    LogReporter().report(event)
    return stream.getvalue()


def test_an_event_is_one_line_of_text() -> None:
    assert logged(LogFormat.TEXT) == (
        "2026-01-02T03:04:05Z warning The window opens later. agent=acme state=waiting reason=outside_window "
        f"version=1.9.0 sha256={'ab' * 32}\n"
    )


def test_an_event_is_one_json_document() -> None:
    assert json.loads(logged(LogFormat.JSON)) == {
        "at": "2026-01-02T03:04:05+00:00",
        "level": "warning",
        "logger": "pawld",
        "message": "The window opens later.",
        "agent": "acme",
        "state": "waiting",
        "reason": "outside_window",
        "version": "1.9.0",
        "sha256": "ab" * 32,
    }


def test_an_event_for_journald_begins_with_its_priority() -> None:
    assert logged(LogFormat.JOURNAL, Event(AT, "acme", "idle", Reason.UP_TO_DATE, "Fine.")) == (
        "<6>Fine. agent=acme state=idle reason=up_to_date\n"
    )


@pytest.mark.parametrize(
    ("reason", "level"),
    [
        (Reason.UPDATED, logging.INFO),
        (Reason.UPDATE_AVAILABLE, logging.INFO),
        (Reason.TIMED_OUT, logging.WARNING),
        (Reason.NO_BUILD, logging.WARNING),
        (Reason.ROLLED_BACK, logging.ERROR),
        (Reason.SIGNATURE_INVALID, logging.ERROR),
        (Reason.UNAUTHORIZED, logging.ERROR),
    ],
)
def test_a_reason_is_as_loud_as_it_deserves(reason: Any, level: Any) -> None:
    assert level_of(reason) == level


def test_a_line_stays_one_line_and_a_blank_is_quoted() -> None:
    line = logged(LogFormat.TEXT, Event(AT, "a b", "idle", Reason.IDLE, "one\ntwo"))
    assert line.count("\n") == 1
    assert 'one two agent="a b"' in line


def test_what_libraries_log_is_redacted_too() -> None:
    stream = io.StringIO()
    log_to(stream, LogFormat.TEXT, "info")
    logging.getLogger("httpx").info("HTTP Request: GET %s", "https://cdn.example/a?X-Amz-Signature=abc")
    assert "abc" not in stream.getvalue()
    assert "https://cdn.example/a" in stream.getvalue()


def test_a_traceback_is_redacted_too() -> None:
    stream = io.StringIO()
    log_to(stream, LogFormat.JSON, "debug")
    try:
        int("token=s3cr3t")
    except ValueError:
        logging.getLogger("pawld").exception("It failed.")
    assert "s3cr3t" not in stream.getvalue()
    assert "ValueError" in json.loads(stream.getvalue())["message"]


def test_a_second_call_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    log_to(first, LogFormat.TEXT, "info")
    log_to(second, LogFormat.TEXT, "error")
    LogReporter().report(EVENT)
    assert (first.getvalue(), second.getvalue()) == ("", "")


def test_a_log_that_cannot_be_written_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    log_to(Full(), LogFormat.TEXT, "info")
    LogReporter().report(EVENT)
    assert capsys.readouterr().err == ""


def test_the_form_follows_the_wish() -> None:
    assert format_for("json", journal=True) is LogFormat.JSON
    assert format_for("auto", journal=True) is LogFormat.JOURNAL
    assert format_for("auto", journal=False) is LogFormat.TEXT
