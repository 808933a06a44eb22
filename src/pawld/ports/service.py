"""The agent's service, under whichever manager."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from pawld.model import Slot
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What the service manager says of the agent's service.

    Attributes:
        failing: it is to run and does not: the manager is about to start it again, or has given it up.
        pid: of the main process; None while there is none.
        restarts: how often the manager restarted it by itself since it was started.
        enabled: it will start at boot; None where the manager has no such thing.
    """

    running: bool
    failing: bool = False
    pid: int | None = None
    restarts: int = 0
    enabled: bool | None = None
    detail: str = ""

    @property
    def is_to_run(self) -> bool:
        """Whether it is to run after an update: it does, or it would if it could; nobody has stopped it."""
        return self.running or self.failing


class Service(Protocol):
    """The agent's service, under whichever manager."""

    def status(self) -> ServiceStatus:
        """Ask the manager, now."""

    def stop(self) -> None:
        """Stop it and wait until it is stopped; one that is stopped already is no error."""

    def start(self, slot: Slot) -> None:
        """Start it from *slot* (re-pointing it where the manager needs that) and wait until it runs."""

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Have the manager run *rollback* by itself after *deadline*, though pawld be dead by then."""

    def disarm(self) -> None:
        """Take the armed rollback back; one that is not armed is no error."""

    def evidence(self, since: datetime) -> str:
        """Return the service's own log lines since then, as far as the manager keeps them."""


@runtime_checkable
class Pointed(Protocol):
    """A service that names the slot by itself, where no link leads it there."""

    def reconcile(self, slot: Slot) -> str | None:
        """Have it start from *slot* from now on; return the sentence that tells it, None where it did already."""
