"""Carries events to senders beside the cycle. What could not be sent is logged and lost; ``outbox`` keeps it."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from pawld.errors import PawldError
from pawld.ports import Event
from pawld.report.errands import PATIENCE, Errands


class Sender(Protocol):
    """Passes one event on to somebody else."""

    def wants(self, event: Event) -> bool:
        """Say whether this event is for it."""

    def send(self, event: Event) -> None:
        """Send it, within a bounded time; ``PawldError`` where it could not be sent."""


class Courier:
    """A ``ports.Reporter`` that sends from a thread of its own; as a context it ends with the last delivery."""

    def __init__(self, senders: Sequence[Sender], *, patience: timedelta = PATIENCE) -> None:
        self._senders = senders
        self._errands = Errands(patience)

    def report(self, event: Event) -> None:
        """Take the event; the first one sets the courier off."""
        self._errands.do(partial(self._carry, event))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._errands.close()

    def _carry(self, event: Event) -> None:
        for sender in self._senders:
            if sender.wants(event):
                _deliver(sender, event)


def _deliver(sender: Sender, event: Event) -> None:
    try:
        sender.send(event)
    except PawldError as error:
        logging.getLogger("pawld").warning("An event was not sent: %s", error.message)
