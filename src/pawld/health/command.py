"""A command of the agent, or of the administrator, ends with 0.

It runs on this host, so a command that hangs is as sick as one that fails. Where the program cannot be run at all, it
is the build's fault if the program is the agent's own, and the host's (so unclear) if it is another's.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pawld.model import Slot
from pawld.ports import Finding, Healthy, Sick, Unclear
from pawld.system.process import Finished, run
from pawld.system.template import belongs_to_agent, checked, filled

EVERY = timedelta(seconds=10)
LIMIT = timedelta(seconds=10)


class CommandCheck:
    """Runs *command*, with the agent's words filled in, each time for at most *limit*."""

    name = "command"

    def __init__(
        self,
        command: Sequence[str],
        *,
        root: Path,
        every: timedelta = EVERY,
        limit: timedelta = LIMIT,
    ) -> None:
        self.every = every
        self._command = checked(command, f"the health check {self.name}")
        self._root = root
        self._limit = limit

    def begin(self) -> None:
        """Note nothing: what the old version could not do is no excuse for the new one."""

    def check(self, slot: Slot) -> Finding:
        """Run it once."""
        return judged(self._command, self._root, slot, self._limit)[1]


def judged(
    command: Sequence[str], root: Path, slot: Slot, limit: timedelta
) -> tuple[Finished, Healthy | Sick | Unclear]:
    """Run the template *command* for *slot*; return how it ended and what that means."""
    words = filled(command, root, slot)
    finished = run(words, limit=limit)
    if finished.ok:
        return finished, Healthy()
    if finished.ran or belongs_to_agent(words, root, slot):
        return finished, Sick(f"{finished.story}.")
    return finished, Unclear(f"The check could not be run: {finished.errors}.")
