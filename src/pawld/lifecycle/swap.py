"""Move ``current``, watch, and keep or take back. Each step is recorded before it is taken and can be taken twice."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

from pawld.errors import PawldError, TransientError
from pawld.lifecycle import evidence, waiting
from pawld.lifecycle.agent import Agent
from pawld.lifecycle.ledger import Ledger
from pawld.lifecycle.probation import Watch
from pawld.lifecycle.states import Build, Idle, Probation, RollingBack, Swapping
from pawld.model import Slot
from pawld.ports import Rebooting, Service
from pawld.reasons import Reason
from pawld.values import dataclass

_DEAD_MAN_MARGIN = timedelta(minutes=2)  # beyond probation; then pawld itself must be dead


@dataclass(frozen=True, slots=True)
class Swap:
    """The part of an update during which the agent may be stopped."""

    agent: Agent
    ledger: Ledger

    def begin(self, build: Build, slot: Slot) -> Idle:
        """Swap to *slot* and watch it; return how it ended."""
        previous = self.agent.installer.current()
        start = previous is None or self.agent.service.status().is_to_run
        for check in self.agent.health:
            check.begin()
        swapping = Swapping(build, slot.name, previous.name if previous else None, start)
        self.ledger.move(swapping, Reason.IN_PROGRESS, f"Swapping to {build.version}.", build)
        return self.carry_out(swapping)

    def carry_out(self, swapping: Swapping) -> Idle:
        """Do, or do again, what *swapping* records."""
        agent, build = self.agent, swapping.build
        slot = self.slot_named(swapping.slot)
        if slot is None:
            return self.take_back(swapping, Reason.SLOT_DAMAGED, f"The slot {swapping.slot} is not complete.")
        try:
            self.arm(swapping)
            agent.service.stop()
            agent.installer.activate(slot)
        except PawldError as error:
            return self.take_back(swapping, error.reason, error.message)
        probation = Probation(
            build, slot.name, swapping.previous, swapping.start, agent.clock.now(), agent.limits.starts
        )
        # Recorded before the new agent starts, so that a build that hangs the host is counted.
        self.ledger.move(probation, Reason.ON_PROBATION, f"{build.version} is on probation.", build)
        return self.watch(probation, slot)

    def watch(self, probation: Probation, slot: Slot) -> Idle:
        """Start the agent from *slot* and, where there are checks, watch it for the whole of its probation."""
        agent = self.agent
        if not probation.start:
            return self._commit(probation, f"Updated to {slot.version}. The service had been stopped and was left so.")
        try:
            agent.service.start(slot)
        except PawldError as error:
            # A host that can start nothing, or a unit that an operator masked, is no fault of the build.
            reason = Reason.HEALTH_FAILED if error.reason is Reason.SERVICE_FAILED else error.reason
            return self.take_back(probation, reason, f"{slot.version} did not start: {error.message}")
        if not agent.health:
            return self._commit(probation, f"Updated to {slot.version}. No health check is configured to watch it.")
        watch = Watch(agent.health, agent.limits, agent.clock)
        sentence = watch.verdict(slot)
        if sentence is None:
            return self._commit(probation, f"Updated to {slot.version}, which proved itself.")
        return self.take_back(probation, Reason.HEALTH_FAILED, sentence, watch.story)

    def take_back(self, state: Swapping | Probation, reason: Reason, message: str, story: Sequence[str] = ()) -> Idle:
        """Record that the build is taken back, then do it."""
        back = RollingBack(state.build, state.slot, state.previous, state.start, reason, message)
        self.ledger.move(back, reason, message, state.build)
        since = state.since if isinstance(state, Probation) else self.agent.clock.now()
        evidence.keep(self.agent, state.slot, since, [message, *story])
        return self.go_back(back)

    def go_back(self, back: RollingBack) -> Idle:
        """Do, or do again, what *back* records: the previous slot runs, and the build left is blocked if at fault.

        Raises:
            PawldError: the way back failed, which is recorded with how the host stands; it can be tried again.
        """
        if not back.failures:
            self.ledger.convict(back.build, back.reason, back.message, self.agent.limits.block_for)
        previous = self.slot_named(back.previous)
        try:
            if previous is not None:
                self._restore(previous, back)
            elif back.previous is not None and back.failures + 1 < self.agent.limits.attempts:
                raise TransientError(Reason.SLOT_DAMAGED, f"The slot {back.previous} cannot be read.")
            self.agent.service.disarm()
        except PawldError as error:
            raise self._stuck(back, error) from error
        where = f"The host is back on {previous.version}." if previous else "There is no earlier slot to go back to."
        idle = Idle(_outcome(back.reason), f"{back.message} {where}" + waiting.losses(self.agent.gates))
        waiting.release(self.agent.gates)
        return self.ledger.rest(idle, back.build)

    @contextmanager
    def never_left_stopped(self) -> Iterator[None]:
        """Have the agent run where what is done inside fails, whatever the state says is still to be done."""
        try:
            yield
        except PawldError:
            self.leave_running()
            raise

    def leave_running(self) -> None:
        """Start what is current and whole, where what is recorded cannot be ended now, as on a full disk."""
        try:
            state = self.ledger.state
        except PawldError:
            self.run_what_is_current()
            return
        if isinstance(state, Swapping | Probation | RollingBack) and state.start:
            with suppress(PawldError):
                self._run_the_best(state)

    def _run_the_best(self, state: Swapping | Probation | RollingBack) -> None:
        slot = self._best(state)
        damaged_and_ran = isinstance(state, RollingBack) and state.reason is Reason.RECOVERED  # better than none
        if slot is not None and (damaged_and_ran or self.agent.installer.intact(slot)):
            start_if_stopped(self.agent.service, slot)

    def _best(self, state: Swapping | Probation | RollingBack) -> Slot | None:
        """What is current; where that cannot be told, as of a package that is half installed, what was before."""
        with suppress(PawldError):
            current = self.agent.installer.current()
            if current is not None:
                return current
        return self.slot_named(state.previous)

    def run_what_is_current(self) -> None:
        """Start it, whole and not disabled, where nobody knows what was under way: a swap may have stopped it."""
        installer, service = self.agent.installer, self.agent.service
        with suppress(PawldError):
            current = installer.current()
            if current is not None and service.status().enabled is not False and installer.intact(current):
                start_if_stopped(service, current)

    def _stuck(self, back: RollingBack, error: PawldError) -> TransientError:
        """Record that the way back failed, how often, and what ``current`` leads to meanwhile."""
        failures, most = back.failures + 1, self.agent.limits.attempts
        current = self.agent.installer.current()
        where = f"`current` leads to {current.version}." if current else "No slot is current."
        then = "" if failures < most else " It is not tried again before the next `pawld recover` or start of the host."
        trouble = f"{back.message} The way back failed ({failures} of {most}): {error.message} {where}{then}"
        stuck = replace(back, failures=failures, stuck=error.reason, trouble=trouble)
        self.ledger.move(stuck, error.reason, trouble, back.build)
        return TransientError(error.reason, trouble)

    def slot_named(self, name: str | None) -> Slot | None:
        """Return the complete slot of this name."""
        return next((one for one in self.agent.installer.slots() if one.name == name), None)

    def _restore(self, previous: Slot, back: RollingBack) -> None:
        """Start the previous slot again even where the new one cannot be stopped properly.

        The service's commands may lie in the slot itself: a build whose own word cannot be trusted is stopped by the
        commands of the previous one, once ``current`` leads there.
        """
        service = self.agent.service
        try:
            service.stop()
        except PawldError:
            self.agent.installer.activate(previous)
            service.stop()
        else:
            self.agent.installer.activate(previous)
        if back.start:
            service.start(previous)

    def _commit(self, probation: Probation, message: str) -> Idle:
        # The switch is disarmed first: a commit that was reported must not be undone by it.
        self.agent.service.disarm()
        installer = self.agent.installer
        reboot = installer.reboot_needed() if isinstance(installer, Rebooting) else None
        reason, told = (Reason.NEEDS_REBOOT, f"{message} {reboot}") if reboot else (Reason.UPDATED, message)
        with self.ledger.journal.together():
            self.ledger.note(previous=probation.previous, last_good=probation.slot)
            self.ledger.journal.forget_attempts(probation.build.sha256)
            self.ledger.blocklist.unblock(probation.build.sha256)
            idle = self.ledger.rest(Idle(reason, told + waiting.losses(self.agent.gates)), probation.build)
        waiting.release(self.agent.gates)
        return idle

    def arm(self, state: Swapping | Probation) -> None:
        """Let the service manager go back by itself, should pawld die before it has decided."""
        previous = self.slot_named(state.previous)
        if previous is not None and state.start:
            deadline = self.agent.limits.probation + _DEAD_MAN_MARGIN
            self.agent.service.arm(deadline, self.agent.installer.pointing_command(previous))


def start_if_stopped(service: Service, slot: Slot) -> None:
    """Start the agent unless it runs; that it does not start is for who called to tell."""
    with suppress(PawldError):
        if not service.status().running:
            service.start(slot)


def _outcome(reason: Reason) -> Reason:
    """What the cycle answers: a sick build was rolled back; other reasons speak for themselves."""
    return Reason.ROLLED_BACK if reason is Reason.HEALTH_FAILED else reason
