"""Who is told: of the bytes of a long step, and of every move."""

from datetime import datetime
from typing import Protocol

from pawld.reasons import Reason
from pawld.values import dataclass


class Progress(Protocol):
    """Told of the bytes of one long step, for a person who watches."""

    def start(self, step: str, total: int, done: int = 0) -> None:
        """A step of *total* bytes begins; *done* of them were there before."""

    def advance(self, count: int) -> None:
        """*count* more bytes are done."""

    def finish(self) -> None:
        """The step is over."""


@dataclass(frozen=True, slots=True)
class Event:
    """One move of an agent, as logs, history, metrics and webhooks tell it."""

    at: datetime
    agent: str
    state: str
    reason: Reason
    message: str
    version: str | None = None
    sha256: str | None = None


class Reporter(Protocol):
    """Is told of every event. It never fails and never delays a move."""

    def report(self, event: Event) -> None:
        """Pass the event on, or spool it."""
