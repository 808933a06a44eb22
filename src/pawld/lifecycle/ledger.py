"""The one place where an agent changes its state: checked, recorded, then told to whoever listens."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pawld.lifecycle.blocklist import Blocklist, verdict
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import Build, Idle, State
from pawld.model import Record
from pawld.ports import Clock, Event, Reporter
from pawld.reasons import Reason


class Ledger:
    """Moves one agent from state to state, and keeps what is known against its builds."""

    def __init__(
        self, agent: str, journal: Journal, blocklist: Blocklist, clock: Clock, reporters: Sequence[Reporter]
    ) -> None:
        self.agent = agent
        self.journal = journal
        self.blocklist = blocklist
        self.clock = clock
        self._reporters = reporters

    @property
    def state(self) -> State:
        """The recorded state."""
        return self.journal.state()

    def move(self, new: State, reason: Reason, message: str, build: Build | None = None) -> None:
        """Record the move durably, then report it."""
        version, sha256 = (build.version, build.sha256) if build else (None, None)
        event = Event(self.clock.now(), self.agent, new.state, reason, message, version, sha256)
        self.journal.move(new, event)
        for reporter in self._reporters:
            reporter.report(event)

    def rest(self, idle: Idle, build: Build | None = None) -> Idle:
        """Go idle, for its reason; resting on for the same reason is no event."""
        before = self.state
        if isinstance(before, Idle) and (before.reason, before.message) == (idle.reason, idle.message):
            self.journal.remain(idle)
        else:
            self.move(idle, idle.reason, idle.message, build)
        return idle

    def convict(self, build: Build, reason: Reason, message: str, block_for: timedelta) -> None:
        """Block the build for at least *block_for* if the fault is its own; anything else blocks nothing."""
        before = self.blocklist.of(build.version, build.sha256)
        now = self.clock.now()
        entry = verdict(build.version, build.sha256, reason, message, now, before, block_for)
        if entry is not None:
            self.blocklist.block(entry)
            self.journal.forget_attempts(build.sha256)

    def say(self, who: str, what: str) -> None:
        """Add to the chain of decisions that ``status --why`` tells; *who* has one say at a time."""
        chain = [one for one in self.journal.fact("why") or [] if one["who"] != who]
        self.note(why=[*chain, {"who": who, "what": what}])

    def note(self, **facts: Any) -> None:
        """Keep facts for the status."""
        self.journal.note(**facts)


def build_of(record: Record) -> Build:
    """Return what the journal remembers of a record."""
    return Build(record.version, record.sha256, record.sequence)
