"""Finish or undo what was interrupted, and mend what rotted. Needs no network, and runs as often as one likes."""

from collections.abc import Sequence
from contextlib import suppress
from typing import assert_never

from pawld.errors import PawldError, TransientError
from pawld.lifecycle import waiting
from pawld.lifecycle.agent import Agent
from pawld.lifecycle.ledger import Ledger
from pawld.lifecycle.states import (
    Build,
    Downloading,
    Idle,
    Probation,
    RollingBack,
    Staging,
    Swapping,
    Verifying,
    Waiting,
)
from pawld.lifecycle.swap import Swap
from pawld.model import Slot
from pawld.ports import Outliving, Pointed
from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Recovery:
    """What runs at every start, before anything else."""

    agent: Agent
    ledger: Ledger

    def run(self) -> Sequence[str]:
        """Settle, mend and sweep; return a sentence for each thing that was done."""
        done = [*self.settle(), *self.mend_current(), *self._reconcile()]
        freed = self.sweep()
        if freed:
            done.append(f"Leftovers were removed; {freed} bytes are free again.")
        return done

    def settle(self) -> Sequence[str]:
        """Finish or undo the interrupted update, if there is one."""
        state = self.ledger.state
        match state:
            case Idle() | Waiting():
                waiting.release(self.agent.gates)
                return []
            case Downloading() | Verifying() | Staging():
                waiting.release(self.agent.gates)
                message = f"{state.build.version} was interrupted while {state.state}; what came is kept."
                return [self.ledger.rest(Idle(Reason.INTERRUPTED, message), state.build).message]
        waiting.keep(self.agent.gates)
        self._let_it_end()
        return [self._resumed(state).message]

    def _let_it_end(self) -> None:
        """Decide nothing while what the process before began may still be at work: what is installed is not settled."""
        installer = self.agent.installer
        told = installer.at_work() if isinstance(installer, Outliving) else None
        if told:
            raise TransientError(Reason.PACKAGE_MANAGER_BUSY, f"An interrupted swap is settled later: {told}")

    def _resumed(self, state: Swapping | Probation | RollingBack) -> Idle:
        """A swap that is not over keeps its locks until it is."""
        match state:
            case Swapping():
                return self._swap.carry_out(state)
            case Probation():
                return self._probation(state)
            case RollingBack():
                return self._swap.go_back(state)
            case _:
                assert_never(state)

    def mend_current(self) -> Sequence[str]:
        """Hash what ``current`` leads to; where it is damaged, go to the last good slot that is not."""
        installer = self.agent.installer
        current = installer.current()
        # Looked at twice: a look that a host short of files cut off says nothing of the slot.
        if current is not None and (installer.intact(current) or installer.intact(current)):
            self.ledger.note(proven_at=self.agent.clock.now(), damaged=None)
            return []
        others = [one for one in self._by_merit() if current is None or one.name != current.name]
        candidate = next((one for one in others if installer.intact(one)), None)
        if candidate is None:
            return self._nothing_to_mend_with(current)
        return [self._replace(current, candidate)]

    def _reconcile(self) -> Sequence[str]:
        """Have a service that names its slot by itself name the current one, whatever was cut off in between."""
        current, service = self.agent.installer.current(), self.agent.service
        told = service.reconcile(current) if current is not None and isinstance(service, Pointed) else None
        return [told] if told else []

    def sweep(self) -> int:
        """Remove what nothing needs; return the bytes that became free."""
        return self.agent.installer.sweep(self._kept())

    @property
    def _swap(self) -> Swap:
        return Swap(self.agent, self.ledger)

    def _probation(self, state: Probation) -> Idle:
        """Go on watching, unless the dead man's switch has gone back already or the build used up its starts."""
        current, slot = self.agent.installer.current(), self._swap.slot_named(state.slot)
        if slot is None:
            return self._swap.take_back(state, Reason.SLOT_DAMAGED, f"The slot {state.slot} is not complete any more.")
        if current is not None and current.name == state.previous:
            message = f"{state.build.version} did not finish its probation, and the dead man's switch took it back."
            return self._swap.take_back(state, Reason.HEALTH_FAILED, message)
        if state.starts_left <= 1:
            message = f"The probation of {state.build.version} was interrupted too often; it may bring the host down."
            return self._swap.take_back(state, Reason.HEALTH_FAILED, message)
        again = Probation(state.build, state.slot, state.previous, state.start, state.since, state.starts_left - 1)
        self.ledger.move(again, Reason.ON_PROBATION, f"{state.build.version} is on probation again.", state.build)
        with suppress(PawldError):  # a manager that arms nothing now may still start the agent
            self._swap.arm(again)  # a reboot took the first one along
        return self._swap.watch(again, slot)

    def _by_merit(self) -> Sequence[Slot]:
        """Order slots: the last good one first, blocked ones last, newer before older."""
        last_good = self.ledger.journal.fact("last_good")
        blocked = {one.sha256 for one in self.ledger.blocklist.all()}
        return sorted(
            self.agent.installer.slots(),
            key=lambda one: (one.name != last_good, one.sha256 in blocked, -one.sequence),
        )

    def _nothing_to_mend_with(self, current: Slot | None) -> Sequence[str]:
        if current is None:
            return []
        self.ledger.note(damaged=current.name)
        return [f"The slot {current.name} is damaged and there is no other; the next update replaces it."]

    def _replace(self, current: Slot | None, candidate: Slot) -> str:
        """Go to *candidate* by the recorded way back: cut off, it is ended, and a damaged agent that ran runs on."""
        left = current or candidate
        ailing = f"{current.name} was damaged." if current else "No slot was current."
        build = Build(left.version, left.sha256, left.sequence)
        start = self.agent.service.status().is_to_run
        back = RollingBack(build, left.name, candidate.name, start, Reason.RECOVERED, ailing)
        self.ledger.move(back, back.reason, ailing, build)
        idle = self._swap.go_back(back)
        self.ledger.note(last_good=candidate.name, damaged=None, proven_at=self.agent.clock.now())
        return idle.message

    def _kept(self) -> set[str]:
        """The slots that an update or a way back may need."""
        journal, state = self.ledger.journal, self.ledger.state
        kept = {journal.fact("last_good"), journal.fact("previous")}
        kept |= {getattr(state, "slot", None), getattr(state, "previous", None)}
        current = self.agent.installer.current()
        kept.add(current.name if current else None)
        spare = [one.name for one in self.agent.installer.slots()]
        for name in spare:
            if len(kept - {None}) >= self.agent.limits.keep:
                break
            kept.add(name)
        # A slot that cannot be read any more is nothing to go back to, whatever the journal calls it.
        return {name for name in kept if name in spare}
