"""Events leave this host beside the cycle: by errand, as counts, as metrics and as entries of the journal."""

import io
import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from support.control import agent

from pawld.errors import OperatorError, TransientError
from pawld.lifecycle.database import Database, open_database
from pawld.lifecycle.journal import Journal
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report import journald, metrics_endpoint
from pawld.report.courier import Courier
from pawld.report.journald import JournalHandler
from pawld.report.metrics import Sheet, families_of, rendered
from pawld.report.tally import OUTCOMES, Tally

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DONE = Event(AT, "acme", "idle", Reason.UPDATED, "Updated to 1.9.0.", "1.9.0", "ab" * 32)
STEP = Event(AT, "acme", "swapping", Reason.IN_PROGRESS, "Swapping to 1.9.0.", "1.9.0", "ab" * 32)


class Recorder:
    """A sender that remembers, and fails or dawdles where a test says so."""

    def __init__(self, error: TransientError | None = None, gate: threading.Event | None = None) -> None:
        self.sent: list[Event] = []
        self._error = error
        self._gate = gate

    def wants(self, event: Event) -> bool:
        return event.state == "idle"

    def send(self, event: Event) -> None:
        if self._gate is not None:
            self._gate.wait(10)
        if self._error is not None:
            raise self._error
        self.sent.append(event)


def test_a_courier_carries_what_is_wanted_and_ends_with_the_last_delivery() -> None:
    sender = Recorder()
    with Courier([sender]) as courier:
        for event in (STEP, DONE, DONE):
            courier.report(event)
    assert sender.sent == [DONE, DONE]


def test_a_move_does_not_wait_for_a_sender_and_the_end_only_for_a_while() -> None:
    gate = threading.Event()
    began = time.monotonic()
    with Courier([Recorder(gate=gate)], patience=timedelta(seconds=0.1)) as courier:
        courier.report(DONE)
        assert time.monotonic() - began < 5
    assert time.monotonic() - began < 5
    gate.set()


def test_what_could_not_be_sent_is_logged_and_the_next_one_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    with Courier([Recorder(TransientError(Reason.UNREACHABLE, "Nobody is there.")), well := Recorder()]) as courier:
        courier.report(DONE)
    assert well.sent == [DONE]
    assert "An event was not sent: Nobody is there." in caplog.text


def test_a_courier_without_a_letter_never_sets_off() -> None:
    with Courier([Recorder()]):
        assert "courier" not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "state" / "pawld.db", AT)
    yield opened
    opened.close()


def test_outcomes_are_counted_over_processes(database: Database) -> None:
    for event in (DONE, STEP, DONE):
        Tally(database).report(event)
    assert Journal(database, "acme").fact(OUTCOMES) == {"updated": 2}


def test_a_count_that_cannot_be_kept_stops_nothing(tmp_path: Path) -> None:
    class Broken:
        def rows(self, *_: object) -> Any:
            raise TransientError(Reason.DISK_FULL, "The disk is full.")

    Tally(Broken()).report(DONE)  # type: ignore[arg-type]  # all that a tally asks of a database


def page(now: datetime = AT, **changes: Any) -> str:
    status = agent(Reason.UP_TO_DATE, last_check=AT.isoformat(), last_good_refresh=AT.isoformat()) | changes
    return rendered(families_of([Sheet(status, {"updated": 2}, timedelta(days=3), now)]))


def test_metrics_tell_what_the_status_tells() -> None:
    lines = page().splitlines()
    assert "# TYPE pawld_outcomes_total counter" in lines
    for line in (
        'pawld_installed_info{agent="acme",version="1.8.3",sha256="9f86d081884c"} 1',
        'pawld_state{agent="acme",state="idle"} 1',
        'pawld_state{agent="acme",state="probation"} 0',
        'pawld_reason{agent="acme",code="up_to_date"} 1',
        f'pawld_last_check_timestamp_seconds{{agent="acme"}} {AT.timestamp():.0f}',
        f'pawld_last_good_refresh_timestamp_seconds{{agent="acme"}} {AT.timestamp():.0f}',
        'pawld_stale{agent="acme"} 0',
        'pawld_blocked_builds{agent="acme"} 0',
        'pawld_outcomes_total{agent="acme",reason="updated"} 2',
    ):
        assert line in lines
    assert not any(line.startswith("pawld_wanted_info") for line in lines)


def test_metrics_alarm_where_no_good_refresh_came_for_long() -> None:
    assert 'pawld_stale{agent="acme"} 1' in page(AT + timedelta(days=4))
    assert 'pawld_stale{agent="acme"} 1' in page(
        last_good_refresh=None, reason={"code": "metadata_stale", "retry_at": None}
    )
    assert 'pawld_stale{agent="acme"} 0' in page(last_good_refresh=None)


def test_a_label_is_escaped_as_prometheus_reads_it() -> None:
    odd = {"version": 'a"b\\c\nd', "sha256": "0" * 64}
    assert r'version="a\"b\\c\nd"' in page(wanted=odd)


def test_the_endpoint_serves_metrics_and_nothing_else() -> None:
    served = metrics_endpoint.serve("127.0.0.1:0", lambda: "pawld_build_info 1\n")
    url = f"http://127.0.0.1:{served.port}"
    try:
        with urlopen(f"{url}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            assert answer.read() == b"pawld_build_info 1\n"
        with pytest.raises(HTTPError, match="404") as raised:
            urlopen(f"{url}/etc/passwd", timeout=5)
        raised.value.close()
    finally:
        served.close()


def test_an_endpoint_that_cannot_tell_says_why() -> None:
    def page() -> str:
        raise OperatorError(Reason.CONFIG_MISSING, "There is no configuration.")

    served = metrics_endpoint.serve("[127.0.0.1]:0", page)
    try:
        with pytest.raises(HTTPError, match="config_missing") as raised:
            urlopen(f"http://127.0.0.1:{served.port}/metrics", timeout=5)
        raised.value.close()
    finally:
        served.close()


def test_a_port_that_is_taken_is_for_a_person_to_see() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OperatorError, match="metrics_listen") as raised:
            metrics_endpoint.serve(f"127.0.0.1:{taken.getsockname()[1]}", str)
        assert raised.value.reason is Reason.CONFIG_INVALID


unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "journal"))
        heard.settimeout(5)
        yield heard


def record(message: str, **fields: str) -> logging.LogRecord:
    made = logging.LogRecord("pawld", logging.WARNING, "", 0, message, None, None)
    made.pawld = fields
    return made


@unix
def test_an_entry_of_the_journal_has_each_fact_as_a_field(journal: socket.socket, tmp_path: Path) -> None:
    handler = JournalHandler(logging.NullHandler(), tmp_path / "journal")
    handler.emit(record("It is so.", agent="acme", reason="updated", version=""))
    lines = journal.recv(9999).decode().splitlines()
    assert lines == [
        "MESSAGE=It is so.",
        "PRIORITY=4",
        "SYSLOG_IDENTIFIER=pawld",
        "LOGGER=pawld",
        "PAWLD_AGENT=acme",
        "PAWLD_REASON=updated",
    ]
    handler.close()


@unix
def test_a_secret_does_not_reach_the_journal_and_a_line_break_stays_inside_its_field(
    journal: socket.socket, tmp_path: Path
) -> None:
    handler = JournalHandler(logging.NullHandler(), tmp_path / "journal")
    handler.emit(record("one\nMESSAGE=two https://host/path?token=abc"))
    entry = journal.recv(9999)
    text = b"one\nMESSAGE=two https://host/path?(hidden)"
    assert entry.startswith(b"MESSAGE\n" + struct.pack("<Q", len(text)) + text + b"\n")
    handler.close()


@unix
def test_what_the_journal_does_not_take_goes_where_it_went_before(tmp_path: Path) -> None:
    stream = io.StringIO()
    instead = logging.StreamHandler(stream)
    for path, message in ((tmp_path / "nobody", "first"), (tmp_path / "nobody", "x" * (journald.LIMIT + 1))):
        handler = JournalHandler(instead, path)
        handler.emit(record(message))
        handler.close()
    assert stream.getvalue().startswith("first\nxxx")


@unix
def test_a_traceback_is_told_too(journal: socket.socket, tmp_path: Path) -> None:
    handler = JournalHandler(logging.NullHandler(), tmp_path / "journal")
    try:
        {}["lost"]
    except KeyError as error:
        made = logging.LogRecord("pawld", logging.ERROR, "", 0, "Why?", None, (KeyError, error, error.__traceback__))
    handler.emit(made)
    assert b"KeyError: 'lost'" in journal.recv(9999)
    handler.close()


def test_journald_is_known_by_the_device_and_inode_that_systemd_named(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        named = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert journald.reads_us(named, stream.fileno())
        assert not journald.reads_us({"JOURNAL_STREAM": "1:2"}, stream.fileno())
        assert not journald.reads_us({}, stream.fileno())
    assert not journald.reads_us(named, 9999)
