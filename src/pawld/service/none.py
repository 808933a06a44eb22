"""No service at all: a program that others call, such as a command line tool. There is nothing to start or stop."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pawld.model import Slot
from pawld.ports import ServiceStatus


class NoService:
    """Counts as running, so that probation's other checks are made."""

    def status(self) -> ServiceStatus:
        """Nothing can have stopped it."""
        return ServiceStatus(running=True, detail="no service is configured")

    def stop(self) -> None:
        """There is nothing to stop."""

    def start(self, slot: Slot) -> None:
        """There is nothing to start."""

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Nobody would fire: the next start of pawld goes back where that is due."""

    def disarm(self) -> None:
        """Nothing is armed."""

    def evidence(self, since: datetime) -> str:
        """Return nothing: no manager keeps a log of it."""
        del since
        return ""
