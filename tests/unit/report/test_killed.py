"""Killed at each of its steps, the way of a report loses nothing, and repeats at most the one that was on its way."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from support.letters import AT, HOST, FakeReceiver, outcome

from pawld.errors import PawldError, TransientError
from pawld.lifecycle.database import Database, open_database
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import Idle
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report import outbox as outbox_module
from pawld.report import spool as spool_module
from pawld.report.letter import Letter
from pawld.report.outbox import Box, Outbox
from pawld.report.spool import Spool

EVENTS = [outcome(number) for number in range(1, 4)]
_MOST_STEPS = 200


class Killed(BaseException):
    """No handler takes it, as none takes SIGKILL."""


class Death:
    """Strikes before or after the *step*-th call of what it is laid around."""

    def __init__(self, step: int) -> None:
        self._left = step
        self.struck = False

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def deadly(*words: Any, **more: Any) -> Any:
            self._strike()
            done = call(*words, **more)
            self._strike()
            return done

        return deadly

    def _strike(self) -> None:
        if self._left == 0:
            self.struck = True
            raise Killed
        self._left -= 1


class Inline:
    """Does errands at once, so that a step is the same one each time."""

    def __init__(self, _patience: object) -> None:
        pass

    def do(self, errand: Callable[[], None]) -> None:
        errand()

    def close(self) -> None:
        pass


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "pawld.db", AT)
    yield opened
    opened.close()


def process(database: Database, place: Path, receiver: FakeReceiver, events: list[Event]) -> None:
    """Record and report *events*, as one process does."""
    box = Box("webhook", receiver, Spool(place, size=1 << 20))
    with Outbox([box], database, HOST, lambda _: {}, lambda: AT) as outbox:
        for event in events:
            Journal(database, "acme").move(Idle(event.reason, event.message), event)
            outbox.report(event)


def unreachable(_letter: Letter) -> PawldError:
    return TransientError(Reason.UNREACHABLE, "Nobody is there.")


def reachable(_letter: Letter) -> None:
    return None


@pytest.mark.parametrize("at_first", [reachable, unreachable])
def test_a_kill_at_any_step_loses_nothing(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, at_first: Callable[[Letter], PawldError | None]
) -> None:
    monkeypatch.setattr(outbox_module, "Errands", Inline)
    writes, moves, sends = spool_module.write_durably, Path.replace, FakeReceiver.send
    for step in range(_MOST_STEPS):
        database._connection.execute("DELETE FROM history")
        place, receiver, death = tmp_path / str(step), FakeReceiver(), Death(step)
        process(database, place, receiver, [outcome(0)])
        receiver.fault = at_first
        with monkeypatch.context() as now, suppress(Killed):
            now.setattr(spool_module, "write_durably", death.around(writes))
            now.setattr(Path, "replace", death.around(moves))
            now.setattr(FakeReceiver, "send", death.around(sends))
            process(database, place, receiver, EVENTS)
        receiver.fault = reachable
        (place / "state").unlink(missing_ok=True)  # the rest after a failure is over
        recorded = [event.version for event in Journal(database, "acme").history(10)]
        process(database, place, receiver, [event for event in EVENTS if event.version not in recorded])
        heard = receiver.versions
        assert list(dict.fromkeys(heard)) == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"], step
        assert len(heard) - len(set(heard)) <= 1, step
        if not death.struck:
            return
    pytest.fail("There is no end to the steps.")
