"""Outcomes reach who watches a fleet: spooled before they are sent, in order, again after a failure, once a twin."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.letters import AT, HOST, FakeReceiver, document, outcome

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.lifecycle.database import Database, open_database
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import Idle
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report.letter import Letter
from pawld.report.outbox import Box, Outbox
from pawld.report.spool import Spool
from pawld.report.spool_state import Loss, backlogs

STEP = Event(AT, "acme", "swapping", Reason.IN_PROGRESS, "Swapping to 1.9.0.", "1.9.0", "ab" * 32)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "pawld.db", AT)
    yield opened
    opened.close()


class Post:
    """An outbox with one receiver, as each process opens it anew."""

    def __init__(self, place: Path, database: Database) -> None:
        self.receiver = FakeReceiver()
        self.now = AT
        self._place = place
        self._database = database

    def opened(self, patience: timedelta = timedelta(seconds=30)) -> Outbox:
        box = Box("webhook", self.receiver, Spool(self._place / "webhook", size=1 << 20))
        facts = {"channel": "stable"}
        return Outbox([box], self._database, HOST, lambda _event: facts, self._clock, patience=patience)

    def tell(self, *events: Event) -> None:
        with self.opened() as outbox:
            for event in events:
                outbox.report(event)

    @property
    def waiting(self) -> int:
        return sum(one.waiting for one in backlogs(self._place))

    def _clock(self) -> datetime:
        return self.now


@pytest.fixture
def post(tmp_path: Path, database: Database) -> Post:
    return Post(tmp_path / "spool", database)


def unreachable(_letter: Letter) -> PawldError:
    return TransientError(Reason.UNREACHABLE, "Nobody is there.")


def test_an_outcome_is_sent_and_a_step_is_not(post: Post) -> None:
    post.tell(STEP, outcome(1))
    (letter,) = post.receiver.letters
    assert letter.document["reason"]["code"] == "updated"
    assert (letter.document["host"], letter.document["channel"], letter.lost) == ("host-1", "stable", 0)
    assert post.waiting == 0


def test_what_could_not_be_sent_comes_in_order_at_the_next_cycle(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.receiver.fault = unreachable
    post.tell(outcome(1), outcome(2))
    assert post.waiting == 2
    assert "A report to webhook waits in the spool: Nobody is there." in caplog.text
    post.receiver.fault = lambda _letter: None
    post.now += timedelta(hours=1)
    post.tell(outcome(3))
    assert post.receiver.versions == ["1.1.0", "1.2.0", "1.3.0"]
    assert post.waiting == 0


def test_a_quiet_cycle_sends_what_waits_as_well(post: Post) -> None:
    post.receiver.fault = unreachable
    post.tell(outcome(1))
    post.receiver.fault = lambda _letter: None
    post.now += timedelta(hours=1)
    post.tell()
    assert post.receiver.versions == ["1.1.0"]


def test_nothing_is_asked_before_the_receiver_wants_to_be_asked_again(post: Post) -> None:
    busy = TransientError(Reason.RATE_LIMITED, "Too many.", retry_after=timedelta(hours=3))
    asked = []

    def fault(letter: Letter) -> PawldError:
        asked.append(letter)
        return busy

    post.receiver.fault = fault
    post.tell(outcome(1))
    post.now += timedelta(hours=2)
    post.tell(outcome(2))
    assert len(asked) == 1
    post.now += timedelta(hours=1)
    post.tell()
    assert len(asked) == 2


def test_a_letter_that_will_never_be_taken_is_dropped_with_its_reason(
    post: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(letter: Letter) -> PawldError | None:
        if letter.document["version"] != "1.1.0":
            return None
        return RejectedError(Reason.BAD_REQUEST, "It will never take it.")

    post.receiver.fault = fault
    post.tell(outcome(1), outcome(2))
    assert post.receiver.versions == ["1.2.0"]
    assert post.receiver.letters[0].lost == 1
    assert "A report to webhook was dropped: It will never take it." in caplog.text
    assert backlogs(tmp_path / "spool")[0].losses == {Loss.REFUSED: 1}


def test_a_receiver_that_an_operator_has_to_mend_is_waited_for(post: Post) -> None:
    post.receiver.fault = lambda _letter: OperatorError(Reason.SECRET_MISSING, "There is no token.")
    post.tell(outcome(1))
    assert post.waiting == 1


def test_a_receiver_that_dawdles_holds_the_end_up_for_a_while_only(post: Post) -> None:
    gate = threading.Event()

    def dawdle(_letter: Letter) -> None:
        gate.wait(30)

    post.receiver.fault = dawdle
    began = time.monotonic()
    with post.opened(patience=timedelta(seconds=0.1)) as outbox:
        outbox.report(outcome(1))
        outbox.report(outcome(2))
    assert time.monotonic() - began < 15
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "courier":
            thread.join(30)
    assert post.receiver.versions == ["1.1.0"], "the second waits for the next process"
    assert post.waiting == 1


def recorded(database: Database, *events: Event) -> None:
    for event in events:
        Journal(database, event.agent).move(Idle(event.reason, event.message), event)


def test_what_was_recorded_and_not_spooled_before_a_kill_is_sent_by_the_next_process(
    post: Post, database: Database
) -> None:
    recorded(database, outcome(0), outcome(1))
    post.tell(outcome(1))
    recorded(database, outcome(2), outcome(3, agent="other"))  # and here the process is killed
    post.tell()
    assert post.receiver.versions == ["1.1.0", "1.2.0", "1.3.0"]
    post.tell()
    assert len(post.receiver.letters) == 3


def test_a_host_that_begins_to_report_does_not_tell_its_whole_history(post: Post, database: Database) -> None:
    recorded(database, outcome(0), outcome(1))
    post.tell()
    assert post.receiver.letters == []


def test_a_history_that_was_begun_anew_repeats_nothing(post: Post, database: Database) -> None:
    post.tell(outcome(1))
    recorded(database, outcome(0))
    post.tell()
    assert post.receiver.versions == ["1.1.0"]


def test_a_history_that_cannot_be_read_stops_nothing(post: Post, database: Database) -> None:
    post.tell(outcome(1))
    database._connection.execute("DROP TABLE history")
    post.tell(outcome(2))
    assert post.receiver.versions == ["1.1.0", "1.2.0"]


def test_facts_that_cannot_be_found_out_stop_nothing(tmp_path: Path, database: Database) -> None:
    def facts(_event: Event) -> dict[str, str]:
        raise TransientError(Reason.IO_FAILED, "The disk is sick.")

    receiver = FakeReceiver()
    box = Box("webhook", receiver, Spool(tmp_path / "spool", size=1 << 20))
    with Outbox([box], database, HOST, facts, lambda: AT) as outbox:
        outbox.report(outcome(1))
    assert receiver.letters[0].document == document(1)


def test_a_twin_has_the_same_id_and_another_event_another() -> None:
    assert document(1)["id"] == document(1)["id"]
    assert document(1)["id"] != document(2)["id"]
    assert len(document(1)["id"]) == 32
