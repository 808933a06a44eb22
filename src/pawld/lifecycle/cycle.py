"""One cycle: resolve, decide, prepare, wait, swap. Every ending is an outcome with a reason."""

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from pawld.errors import PawldError, TransientError
from pawld.lifecycle import rollout, schedule, waiting
from pawld.lifecycle.agent import Agent, Supply
from pawld.lifecycle.decide import NotThis, Situation, Update, UpToDate
from pawld.lifecycle.explain import Asked, explain, remembered_form
from pawld.lifecycle.ledger import Ledger, build_of
from pawld.lifecycle.prepare import Preparation
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.resolve import Inquiry, Resolved
from pawld.lifecycle.states import Build, Idle, Probation, RollingBack, Swapping, Waiting
from pawld.lifecycle.steps import Step, step_from
from pawld.lifecycle.swap import Swap
from pawld.model import Hold, NoBuild, Record, Slot, Unconfirmed
from pawld.ports import Gate, Ordering, Progress
from pawld.reasons import Reason
from pawld.values import dataclass

_HASHED_ANEW = timedelta(days=1)  # how old the last proof of the current slot may be
_LONGEST_NAP = timedelta(minutes=1)  # a gate may open early; a clock may jump


class Patience(Enum):
    """What to do at a closed gate."""

    WAIT = "wait"
    RETURN = "return"


class Insistence(Enum):
    """Whether an operator passes rollout and windows."""

    NONE = "none"
    FORCE = "force"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cycle, or a check, ended."""

    agent: str
    reason: Reason
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """The cycles of one agent."""

    agent: Agent
    supply: Supply
    ledger: Ledger
    progress: Progress

    def check(self) -> Outcome:
        """Resolve and decide; nothing is downloaded, and nothing but the status changes."""
        try:
            resolved = self._resolve()
            if not isinstance(resolved, Resolved):
                idle = _nothing(resolved)
                return self._outcome(idle.reason, idle.message, idle.retry_at)
            decision = self._decided(resolved, Insistence.NONE).decision
        except PawldError as error:
            return self._outcome(error.reason, error.message)
        retry_at = decision.retry_at if isinstance(decision, NotThis) else None
        return self._outcome(decision.reason, decision.message, retry_at)

    def explain(self, asked: Asked) -> Outcome:
        """Explain a host's decision at a time, of which nothing is kept."""
        try:
            decision = explain(self.supply, asked, self._current(), self.ledger.journal.fact("record"))
        except PawldError as error:
            return self._outcome(error.reason, error.message)
        ended = _nothing(decision) if isinstance(decision, NoBuild | Hold) else decision
        return self._outcome(ended.reason, ended.message)

    def update(self, patience: Patience = Patience.WAIT, insistence: Insistence = Insistence.NONE) -> Outcome:
        """Run one cycle to its end; a failure is an outcome too, and is recorded as such."""
        try:
            self._settle()
            ended = self._cycle(patience, insistence)
            # Only now: a release whose download fails each time is asked for less and less often as well.
            self.ledger.note(failures=None)
            return self._ended(ended)
        except PawldError as error:
            return self._ended(self._failed(error))

    def _settle(self) -> None:
        """Finish what was interrupted; a way back that has failed often enough is not tried in each cycle for ever."""
        state = self.ledger.state
        if isinstance(state, RollingBack) and state.failures >= self.agent.limits.attempts:
            raise TransientError(state.stuck or state.reason, state.trouble)
        Recovery(self.agent, self.ledger).settle()

    def _cycle(self, patience: Patience, insistence: Insistence) -> Idle | Waiting:
        resolved = self._resolve()
        if not isinstance(resolved, Resolved):
            return self.ledger.rest(_nothing(resolved))
        step = self._decided(resolved, insistence)
        record, decision = step.record, step.decision
        if isinstance(decision, UpToDate):
            if self._rotted():
                return self._cycle(patience, insistence)
            return self.ledger.rest(Idle(decision.reason, decision.message))
        if isinstance(decision, NotThis):
            return self.ledger.rest(Idle(decision.reason, decision.message, decision.retry_at))
        slot = Preparation(self.agent, self.supply, self.ledger, self.progress).slot(record)
        if resolved.pinned is not None and resolved.pinned.passes_windows:
            insistence = Insistence.FORCE
        held = self._wait(record, slot, decision, patience, insistence)
        if held is not None:
            return held
        return self._swap(build_of(record), slot)

    def _resolve(self) -> Resolved | NoBuild | Hold:
        inquiry, found = Inquiry(self.supply), dict[str, Any]()
        try:
            resolved = inquiry.resolve()
            if isinstance(resolved, Resolved):
                found = _found(resolved.record, self.agent.clock.now())
        finally:
            now = self.agent.clock.now()
            self.ledger.note(
                first_check=self.ledger.journal.fact("first_check") or now,
                last_check=now,
                platform=str(self.supply.platform),
                why=[asdict(one) for one in inquiry.chain],
                **found,
            )
        return resolved

    def _decided(self, resolved: Resolved, insistence: Insistence) -> Step:
        situation = self._situation(resolved, insistence)
        blocklist = self.ledger.blocklist
        step = step_from(situation, Inquiry(self.supply).step, lambda one: blocklist.standing(one.version, one.sha256))
        with self.ledger.journal.together():
            self.ledger.say("rollout", rollout.story(situation.host_id, situation.record, situation.now))
            self.ledger.say("decision", step.decision.message)
        return step

    def _situation(self, resolved: Resolved, insistence: Insistence) -> Situation:
        agent, record = self.agent, resolved.record
        return Situation(
            record=record,
            installed=self._current(),
            now=agent.clock.now(),
            host_id=self.supply.host_id,
            updater=self.supply.updater,
            pinned=resolved.pinned,
            blocked=self.ledger.blocklist.standing(record.version, record.sha256),
            forced=insistence is Insistence.FORCE,
        )

    def _current(self) -> Slot | None:
        """A slot that was found damaged does not count as installed: it is to be replaced."""
        current = self.agent.installer.current()
        damaged = self.ledger.journal.fact("damaged")
        return None if current is not None and current.name == damaged else current

    def _rotted(self) -> bool:
        """Hash the current slot now and then: a rotten disk is to be noticed before the agent needs the file."""
        journal, now = self.ledger.journal, self.agent.clock.now()
        proven = journal.fact("proven_at")
        if proven is not None and timedelta(0) <= now - datetime.fromisoformat(proven) < _HASHED_ANEW:
            return False
        return bool(Recovery(self.agent, self.ledger).mend_current())

    def _wait(
        self, record: Record, slot: Slot, decision: Update, patience: Patience, insistence: Insistence
    ) -> Waiting | None:
        """Ask every gate, right before the swap; return None once all are open."""
        gates = self._gates(insistence)
        build, since = build_of(record), self._deferred_since(record)
        while True:
            now = self.agent.clock.now()
            held = waiting.ask(gates, now, since)
            if held is None or (decision.urgent and waiting.overdue(gates, held, now, since)):
                return None
            state = Waiting(build, slot.name, since, held.reason, held.message, held.retry_at)
            self._hold(state)
            if patience is Patience.RETURN:
                return state
            self.agent.clock.sleep(min(max(held.retry_at - now, timedelta(seconds=1)), _LONGEST_NAP))

    def _hold(self, state: Waiting) -> None:
        self.ledger.say("gate", state.message)
        before = self.ledger.state
        if isinstance(before, Waiting) and (before.build, before.message) == (state.build, state.message):
            self.ledger.journal.remain(state)
        else:
            self.ledger.move(state, state.reason, state.message, state.build)

    def _deferred_since(self, record: Record) -> datetime:
        """When the first gate closed for this build, over restarts and failed checks in between."""
        deferred = self.ledger.journal.fact("deferred")
        if deferred is not None and deferred["sha256"] == record.sha256:
            return datetime.fromisoformat(deferred["since"])
        now = self.agent.clock.now()
        self.ledger.note(deferred={"sha256": record.sha256, "since": now})
        return now

    def _gates(self, insistence: Insistence) -> list[Gate]:
        windows = [] if insistence is Insistence.FORCE else self.agent.windows
        return [*windows, *self.agent.gates]

    def _swap(self, build: Build, slot: Slot) -> Idle:
        idle = Swap(self.agent, self.ledger).begin(build, slot)
        self.ledger.note(deferred=None, damaged=None, proven_at=self.agent.clock.now())
        with suppress(PawldError):  # the update is done; what cannot be removed now is removed at the next start
            Recovery(self.agent, self.ledger).sweep()
        return idle

    def _failed(self, error: PawldError) -> Idle:
        """Record a failure; the next try comes later with each one in a row."""
        Swap(self.agent, self.ledger).leave_running()
        failures = int(self.ledger.journal.fact("failures") or 0) + 1
        self.ledger.note(failures=failures)
        retry_at = None
        if isinstance(error, TransientError):
            retry_at = schedule.retry_at(self.agent.clock.now(), failures, error.retry_after, error.reason.cause)
        idle = Idle(error.reason, error.message, retry_at)
        if isinstance(self.ledger.state, Swapping | Probation | RollingBack):
            return idle  # what is recorded stays so: the next cycle or start finishes or undoes it
        self.ledger.rest(idle)
        waiting.release(self.agent.gates)
        return idle

    def _ended(self, state: Idle | Waiting) -> Outcome:
        if isinstance(self.supply.pin, Ordering):
            self.supply.pin.concluded(state.reason, state.message)
        return self._outcome(state.reason, state.message, state.retry_at)

    def _outcome(self, reason: Reason, message: str, retry_at: datetime | None = None) -> Outcome:
        return Outcome(self.agent.name, reason, message, retry_at)


def _nothing(resolved: NoBuild | Hold) -> Idle:
    """What it comes to where there is no release to decide on."""
    if isinstance(resolved, Unconfirmed):
        return Idle(Reason.NOT_CONFIRMED, resolved.message, resolved.retry_at)
    if isinstance(resolved, Hold):
        return Idle(Reason.NOT_DEPLOYED, resolved.message, resolved.retry_at)
    return Idle(Reason.NO_BUILD, resolved.message)


def _found(record: Record, now: datetime) -> dict[str, Any]:
    """What is kept of a record that was found."""
    wanted = {"version": record.version, "sha256": record.sha256, "sequence": record.sequence}
    return {
        "last_good_refresh": now,
        "wanted": wanted,
        "record": remembered_form(record, now),
        "expires": record.expires,
    }
