"""A service without a manager: the agent's own commands start it, stop it, and tell whether it runs.

``start`` is expected to return and to leave the agent running; one that is itself the agent is refused after its time,
because the agent would be pawld's child and would die with it. ``is_running`` ends with 0 while the agent runs; a
number that it prints is the process id.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pawld.errors import TransientError
from pawld.model import Slot
from pawld.ports import Clock, ServiceStatus
from pawld.reasons import Reason
from pawld.service.deadman import Companion, Sleeper, go_back
from pawld.service.polling import until
from pawld.system.clock import SystemClock
from pawld.system.faults import reason_of
from pawld.system.process import Finished, launch, run, tail
from pawld.system.template import belongs_to_agent, checked, filled

_ASKING = timedelta(seconds=30)  # for is_running


class CommandService:
    """A service that three commands stand for.

    Args:
        current: returns the slot that ``current`` leads to, complete or not, for the words of ``stop`` and
            ``is_running``.
        token: a file of pawld's own, by which the dead man's switch is called off.
        log: where the output of ``start``, and of an agent that keeps it, goes.
        patience: how long a start or a stop may take.
        outside: what goes before ``start`` so that the agent leaves pawld's control group (see ``outside_our_unit``).
        companion: the dead man's switch of a host that cannot fork.
    """

    def __init__(
        self,
        *,
        start: Sequence[str],
        stop: Sequence[str],
        is_running: Sequence[str],
        root: Path,
        current: Callable[[], Slot | None],
        token: Path,
        log: Path | None = None,
        patience: timedelta = timedelta(seconds=90),
        outside: Sequence[str] = (),
        companion: Companion | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._start = checked(start, "start")
        self._stop = checked(stop, "stop")
        self._is_running = checked(is_running, "is_running")
        self._root = root
        self._current = current
        self._log = log
        self._patience = patience
        self._outside = tuple(outside)
        self._clock = clock or SystemClock()
        self._companion = companion
        self._sleeper = Sleeper(token, self._clock)

    def status(self) -> ServiceStatus:
        """Ask ``is_running``; nothing runs while nothing is installed."""
        slot = self._current()
        return ServiceStatus(running=False, detail="nothing is installed") if slot is None else self._ask(slot)

    def stop(self) -> None:
        """Run ``stop`` and wait until ``is_running`` denies it; only a service that still runs then is an error."""
        slot = self._current()
        if slot is None or not self._ask(slot).running:
            return
        finished = run(filled(self._stop, self._root, slot), limit=self._patience)
        if not until(lambda: not self._ask(slot).running, self._clock, self._patience):
            raise TransientError(
                _reason(finished),
                f"The agent still runs {self._patience.total_seconds():g} s after its stop command: {finished.story}.",
            )

    def start(self, slot: Slot) -> None:
        """Run ``start`` and wait until ``is_running`` confirms it."""
        if self._ask(slot).running:
            return
        if self._log is not None:
            with suppress(OSError):  # an agent without a log is better than none
                self._log.parent.mkdir(parents=True, exist_ok=True)
        command = (*self._outside, *filled(self._start, self._root, slot))
        finished = launch(command, limit=self._patience, log=self._log)
        if not finished.ok:
            raise TransientError(_reason(finished), f"The agent was not started: {_story(finished)}.")
        if not until(lambda: self._ask(slot).running, self._clock, self._patience):
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"The agent does not run {self._patience.total_seconds():g} s after its start command ended.",
            )

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Leave a sleeper behind that stops the agent, runs *rollback* and starts what ``current`` then leads to."""
        if self._companion is not None:
            self._companion.arm(deadline, rollback)
            return
        self._sleeper.arm(deadline, lambda: go_back(self, rollback, self._current, limit=self._patience))

    def disarm(self) -> None:
        """Call the sleeper off."""
        self._sleeper.disarm()

    def evidence(self, since: datetime) -> str:
        """Return the end of the log of ``start``, if anything was written since then."""
        if self._log is None:
            return ""
        try:
            written = self._log.stat().st_mtime
        except OSError:
            return ""
        return tail(self._log) if written >= since.timestamp() else ""

    def _ask(self, slot: Slot) -> ServiceStatus:
        command = filled(self._is_running, self._root, slot)
        finished = run(command, limit=_ASKING)
        missing = not finished.ran and not finished.shortage and belongs_to_agent(command, self._root, slot)
        if finished.code is None and not missing:
            raise TransientError(_reason(finished), f"The is_running command gave no answer: {finished.story}.")
        word = finished.output.strip()
        pid = int(word) if finished.ok and word.isascii() and word.isdigit() else None
        return ServiceStatus(running=finished.ok, pid=pid, detail="" if finished.ok else finished.story)


def _reason(finished: Finished) -> Reason:
    """A host that can start no program says nothing about the agent."""
    return reason_of(OSError(finished.shortage, "")) if finished.shortage else Reason.SERVICE_FAILED


def _story(finished: Finished) -> str:
    if finished.ran and finished.code is None:
        return f"{finished.story}; a start command is expected to leave the agent running and to end"
    return finished.story
