"""Outcomes on their way to those who watch a fleet: kept on disk first, then sent beside the cycle, in order.

The history is the one place that is durable before anybody is told. What a killed process had recorded there and not
yet spooled is spooled when the next one opens.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from pawld.errors import PawldError, RejectedError
from pawld.lifecycle.database import Database
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report.errands import PATIENCE, Errands
from pawld.report.letter import Facts, Letter, written
from pawld.report.spool import Spool
from pawld.report.tally import is_outcome
from pawld.values import dataclass


class Receiver(Protocol):
    """Somebody else's server."""

    def send(self, letter: Letter) -> None:
        """Hand the letter over, within a bounded time.

        ``RejectedError`` where it will never be taken; any other ``PawldError`` where it may be later.
        """


@dataclass(frozen=True, slots=True)
class Box:
    """A receiver with its spool, by the name that messages and metrics give it."""

    name: str
    receiver: Receiver
    spool: Spool


class Outbox:
    """A ``ports.Reporter`` of outcomes; as a context it ends with the last delivery, or when patience runs out.

    Args:
        database: whose history tells what was not spooled any more; used by the thread that opened it alone.
        facts: what goes into a document beside the event.
    """

    def __init__(
        self,
        boxes: Sequence[Box],
        database: Database,
        host_id: str,
        facts: Facts,
        now: Callable[[], datetime],
        *,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._boxes = boxes
        self._database = database
        self._host_id = host_id
        self._facts = facts
        self._now = now
        self._errands = Errands(patience)
        self._closed = False

    def report(self, event: Event) -> None:
        """Spool an outcome, and set the sending off."""
        if not is_outcome(event):
            return
        document = self._written(event)
        for box in self._boxes:
            box.spool.put(document)
        self._send_all()

    def __enter__(self) -> Self:
        """Spool what a killed process left in the history alone; go on with what could not be sent before."""
        with suppress(PawldError):  # a history that cannot be read is told by whoever needs it
            for box in self._boxes:
                for event in _missed(self._database, box.spool):
                    box.spool.put(self._written(event))
        self._send_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._errands.close()
        self._closed = True

    def _written(self, event: Event) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        with suppress(PawldError):
            facts = dict(self._facts(event))
        return written(event, self._host_id, facts)

    def _send_all(self) -> None:
        for box in self._boxes:
            if not box.spool.is_resting(self._now()) and box.spool.first() is not None:
                self._errands.do(partial(self._empty, box))

    def _empty(self, box: Box) -> None:
        while not self._closed and not box.spool.is_resting(self._now()):
            letter = box.spool.first()
            if letter is None:
                return
            self._hand_over(box, letter)

    def _hand_over(self, box: Box, letter: Letter) -> None:
        try:
            box.receiver.send(letter)
        except RejectedError as error:
            _log().warning("A report to %s was dropped: %s", box.name, error.message)
            box.spool.refuse(letter)
        except PawldError as error:
            _log().warning("A report to %s waits in the spool: %s", box.name, error.message)
            box.spool.hold(self._now(), error.retry_after)
        else:
            box.spool.delivered(letter)


def _missed(database: Database, spool: Spool) -> Iterator[Event]:
    """Return the outcomes that the history holds after the one that was spooled last, oldest first."""
    last = spool.newest()
    if last is None:
        return
    rows = database.rows(
        "SELECT at, agent, state, reason, message, version, sha256 FROM history WHERE id > "
        "(SELECT max(id) FROM history WHERE at = ? AND agent = ? AND reason = ?) ORDER BY id",
        last.get("at"),
        last.get("agent"),
        last.get("reason", {}).get("code"),
    )
    for at, agent, state, reason, message, version, sha256 in rows:
        with suppress(KeyError):  # the code of a newer pawld that was taken back since
            event = Event(datetime.fromisoformat(at), agent, state, Reason.of(reason), message, version, sha256)
            if is_outcome(event):
                yield event


def _log() -> logging.Logger:
    return logging.getLogger("pawld")
