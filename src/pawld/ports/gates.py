"""Who may say "not now" to a swap."""

from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Open:
    """The gate has nothing against a swap now."""

    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """Not now; ask again at *retry_at*, or as the lifecycle sees fit."""

    reason: Reason
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The gate cannot answer; it counts as closed."""

    message: str
    reason: Reason = Reason.GATE_BROKEN


Answer = Open | Closed | Broken


class Gate(Protocol):
    """May say "not now" to a swap.

    Attributes:
        name: what the status calls it.
        max_deferral: after this long the status turns to an alarm.
    """

    name: str
    max_deferral: timedelta

    def check(self, now: datetime) -> Answer:
        """Answer; a gate that holds a lock takes it here, and asking again while it is held is harmless."""

    def release(self) -> None:
        """Give back whatever ``check`` took; called after the commit, a rollback, and at every start.

        It never raises: what cannot be given back now is given back at the next start.
        """


@runtime_checkable
class Lease(Protocol):
    """A gate whose lock runs out unless somebody keeps it alive."""

    def keep(self) -> None:
        """Go on holding what an earlier process took; it returns at once, and never raises."""

    def lost(self) -> str | None:
        """Return the sentence that tells how the lock was lost while it was held; None where it was not."""
