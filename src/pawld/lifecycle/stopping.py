"""Stop in the middle of a cycle: what may be dropped is dropped, what may not is finished, and both are recorded.

A download, a staging and a probation can be taken up again, so they end at once. Between the stop of the agent's
service and its start there is no ending: such a step is carried on to the next state. Where it ended all the same, as
in the middle of a start, the agent is started before this process ends.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pawld.lifecycle.agent import Agent
from pawld.lifecycle.cycle import Outcome
from pawld.lifecycle.ledger import Ledger
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.states import Downloading, Probation, RollingBack, Staging, Swapping, Verifying
from pawld.lifecycle.swap import Swap
from pawld.ports import Clock, Event
from pawld.reasons import Reason

_TO_THE_END = frozenset({Swapping.state, RollingBack.state})


class Stopping(KeyboardInterrupt):
    """This process was asked to end. No handler of failures may take it for one."""


class Stop:
    """A clock whose sleepers can be woken for good, and a reporter that knows what is under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = ""
        self._asked = False
        self._raised = False

    def ask(self) -> None:
        """End what is under way: now, by raising ``Stopping`` here, or as soon as it may be left alone."""
        self._asked = True
        self._raise_if_due()

    def report(self, event: Event) -> None:
        """Note what is under way."""
        self._state = event.state

    def now(self) -> datetime:
        """Return the wall time."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return seconds that never fall."""
        return self._clock.monotonic()

    def sleep(self, duration: timedelta) -> None:
        """Wait; ``Stopping`` where the end was asked for."""
        self._raise_if_due()
        self._clock.sleep(duration)

    def _raise_if_due(self) -> None:
        """Raise once: what is done on the way out is not to be cut short as well."""
        if self._asked and not self._raised and self._state not in _TO_THE_END:
            self._raised = True
            raise Stopping


def left_behind(agent: Agent, ledger: Ledger) -> Outcome:
    """Record where the cycle was stopped, so that the next start goes on from there; return that as its outcome.

    An agent that a swap had stopped runs again afterwards, from what is current.
    """
    Swap(agent, ledger).leave_running()
    state = ledger.state
    if isinstance(state, Downloading | Verifying | Staging):
        message = " ".join(Recovery(agent, ledger).settle())
    elif isinstance(state, Probation):
        # An orderly stop is no sign against the build: the start that it will cost is given back.
        ledger.journal.remain(replace(state, starts_left=state.starts_left + 1))
        message = f"pawld was stopped; the probation of {state.build.version} goes on at its next start."
    else:
        message = "pawld was stopped; it goes on at its next start."
    return Outcome(agent.name, Reason.INTERRUPTED, message)
