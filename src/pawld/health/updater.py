"""Whether a new pawld has taken over: its daemon answers with the new version, and has reached its first good cycle.

That takes a while: before *patience* is over a daemon that is not there yet is unclear, and then it is sick.
"""

from datetime import timedelta
from pathlib import Path

from pawld.lifecycle.versions import same
from pawld.model import Slot
from pawld.ports import Clock, Finding, Healthy, Sick, Unclear
from pawld.system import local_line


class UpdaterCheck:
    """Asks the daemon on its *line* how it fares with the agent that it is itself.

    Args:
        agent: pawld's own name in the configuration.
        patience: how long a new daemon may take to its first good cycle.
    """

    name = "updater"

    def __init__(
        self, line: Path, agent: str, clock: Clock, *, patience: timedelta, every: timedelta, limit: timedelta
    ) -> None:
        self.every = every
        self._line = line
        self._agent = agent
        self._clock = clock
        self._patience = patience.total_seconds()
        self._limit = limit
        self._since: float | None = None

    def begin(self) -> None:
        """Nothing that held before counts: it was another pawld."""

    def check(self, slot: Slot) -> Finding:
        """Look once."""
        if self._since is None:
            self._since = self._clock.monotonic()
        fault = self._fault(slot)
        if fault is None:
            return Healthy()
        return Unclear(fault) if self._clock.monotonic() - self._since < self._patience else Sick(fault)

    def _fault(self, slot: Slot) -> str | None:
        answer = local_line.ask(self._line, {"verb": "hello"}, patience=self._limit)
        if answer is None:
            return "No daemon answers."
        if not same(str(answer.get("version")), slot.version):
            return f"The daemon that answers is pawld {answer.get('version')}."
        if self._agent not in answer.get("good", {}):
            return "The new daemon has not reached its first good cycle."
        return None
