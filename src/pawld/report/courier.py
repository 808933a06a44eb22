"""Carries events to senders beside the cycle: a move never waits for one, and the end of the process only for a while.

A sender is one verb; what it could not send is handed to *failed*, and is lost where that is nobody.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from pawld.errors import PawldError
from pawld.ports import Event

PATIENCE = timedelta(seconds=10)  # for what is still to be sent when the cycle is over

Failed = Callable[["Sender", Event], None]


class Sender(Protocol):
    """Passes one event on to somebody else."""

    def wants(self, event: Event) -> bool:
        """Say whether this event is for it."""

    def send(self, event: Event) -> None:
        """Send it, within a bounded time; ``PawldError`` where it could not be sent."""


def _lost(sender: Sender, event: Event) -> None:
    del sender, event


class Courier:
    """A ``ports.Reporter`` that sends from a thread of its own; as a context it ends with the last delivery."""

    def __init__(self, senders: Sequence[Sender], *, failed: Failed = _lost, patience: timedelta = PATIENCE) -> None:
        self._senders = senders
        self._failed = failed
        self._patience = patience
        self._bag: SimpleQueue[Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def report(self, event: Event) -> None:
        """Take the event; the first one sets the courier off."""
        if self._thread is None:
            # A daemon thread: a server that never answers must not keep the process from ending.
            self._thread = threading.Thread(target=self._carry, name="courier", daemon=True)
            self._thread.start()
        self._bag.put(event)

    def close(self) -> None:
        """Wait for what is on its way, for so long as there is patience."""
        if self._thread is not None:
            self._bag.put(None)
            self._thread.join(self._patience.total_seconds())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _carry(self) -> None:
        while (event := self._bag.get()) is not None:
            for sender in self._senders:
                if sender.wants(event):
                    self._deliver(sender, event)

    def _deliver(self, sender: Sender, event: Event) -> None:
        try:
            sender.send(event)
        except PawldError as error:
            logging.getLogger("pawld").warning("An event was not sent: %s", error.message)
            self._failed(sender, event)
