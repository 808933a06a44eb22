"""What an operator orders by hand: back to the previous slot, block a build, lift a block."""

from collections.abc import Sequence

from pawld.errors import OperatorError, TransientError
from pawld.lifecycle.agent import Agent
from pawld.lifecycle.ledger import Ledger
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.states import Build, Idle, RollingBack
from pawld.lifecycle.swap import Swap
from pawld.model import Blocked, Slot
from pawld.reasons import Reason
from pawld.values import dataclass

_LIFT = "`pawld unblock` lifts it."


@dataclass(frozen=True, slots=True)
class Operation:
    """Orders for one agent."""

    agent: Agent
    ledger: Ledger

    def roll_back(self) -> Idle:
        """Go back to the previous slot, and block the one left until a person lifts it."""
        with Swap(self.agent, self.ledger).never_left_stopped():
            return self._roll_back()

    def _roll_back(self) -> Idle:
        Recovery(self.agent, self.ledger).settle()
        current = self.agent.installer.current()
        previous = self._previous(current)
        if current is None or previous is None:
            raise TransientError(Reason.NO_PREVIOUS_SLOT, f"{self.agent.name} has no intact earlier slot on this host.")
        message = f"An operator took {current.version} back."
        self.block(current.version, current.sha256, message)
        build = Build(current.version, current.sha256, current.sequence)
        start = self.agent.service.status().is_to_run
        back = RollingBack(build, current.name, previous.name, start, Reason.OPERATOR_ROLLBACK, message)
        self.ledger.move(back, back.reason, message, build)
        idle = Swap(self.agent, self.ledger).go_back(back)
        self.ledger.note(last_good=previous.name, previous=None)
        return idle

    def block(self, version: str, sha256: str, message: str = "An operator blocked it.") -> Blocked:
        """Block a build for good, by version, digest or both."""
        entry = Blocked(version, sha256, Reason.OPERATOR_BLOCK.code, None, _LIFT, message)
        self.ledger.blocklist.block(entry)
        return entry

    def unblock(self, name: str) -> Sequence[Blocked]:
        """Lift what is blocked under this version or digest; ``OperatorError`` (usage) where nothing is."""
        lifted = self.ledger.blocklist.unblock(name)
        if not lifted:
            raise OperatorError(
                Reason.USAGE,
                f"No build of {self.agent.name} is blocked under {name!r}; `pawld status` lists those that are.",
            )
        for one in lifted:
            self.ledger.journal.forget_attempts(one.sha256)
        return lifted

    def _previous(self, current: Slot | None) -> Slot | None:
        """The slot that was current before, else the newest other one; only one that is intact and not blocked."""
        named = self.ledger.journal.fact("previous")
        # Without this a second rollback would go forward again, to the very build that the first one left.
        blocked = {one.sha256 for one in self.ledger.blocklist.all()}
        others = [one for one in self.agent.installer.slots() if current is None or one.name != current.name]
        others = [one for one in others if one.sha256 not in blocked]
        others.sort(key=lambda one: one.name != named)
        return next((one for one in others if self.agent.installer.intact(one)), None)
