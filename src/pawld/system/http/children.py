"""The children of one client: who asks what, so that nobody who turned one learns what he was not sent anyway.

A child that was told what may be a secret talks to one origin, from its first request to its end. Those that were told
none take turns with every origin.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from pawld.errors import TransientError
from pawld.system.http.hop import Hop
from pawld.system.walls import Child


@dataclass(eq=False, slots=True)
class Confidant:
    """A child, whom it talked to, and whether it was told what may be a secret."""

    child: Child
    origins: set[str] = field(default_factory=set)
    is_told: bool = False

    def may_ask(self, hop: Hop) -> bool:
        """Whether no origin but this one could have a hand in it, or there is nothing to keep from it."""
        return self.origins <= {hop.address.origin} or not (self.is_told or hop.may_hold_secrets)

    def note(self, hop: Hop) -> None:
        """Remember that it asks this."""
        self.origins.add(hop.address.origin)
        self.is_told |= hop.may_hold_secrets


class Children:
    """Lends a child for each request to whoever makes it alone; at most two of them wait for the next one.

    Args:
        begin: begins to start one.
        prepare: waits until it is ready, and tells it how to begin.
    """

    def __init__(self, begin: Callable[[], Child], prepare: Callable[[Child], None]) -> None:
        self._begin = begin
        self._prepare = prepare
        self._idle: list[Confidant] = []
        self._coming: Child | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Begin to start one; where that fails, the first request does it again and says why."""
        with self._lock, suppress(TransientError):
            if self._coming is None and not self._idle:
                self._coming = self._begin()

    def lend(self, hop: Hop) -> Confidant:
        """Return one that may ask this; one that has to be started takes the place of those that know secrets."""
        with self._lock:
            found = next((one for one in self._idle if one.may_ask(hop)), None)
            left = [one for one in self._idle if one is found or (found is None and one.is_told)]
            self._idle = [one for one in self._idle if one not in left]
            coming, self._coming = (None, self._coming) if found else (self._coming, None)
        if found is None:
            for one in left:
                one.child.end()
            found = self._started(coming)
        found.note(hop)
        return found

    def take_back(self, confidant: Confidant) -> None:
        """Keep it for the next request; of those that know secrets one is kept, and of those that know none."""
        with self._lock:
            surplus = [one for one in self._idle if one.is_told == confidant.is_told]
            self._idle = [*(one for one in self._idle if one not in surplus), confidant]
        for one in surplus:
            one.child.end()

    def end(self) -> None:
        """End those that wait; the next request starts a new one."""
        with self._lock:
            idle, self._idle = [one.child for one in self._idle], []
            coming, self._coming = self._coming, None
        for child in [*idle, coming] if coming else idle:
            child.end()

    def _started(self, coming: Child | None) -> Confidant:
        child = coming or self._begin()
        self._prepare(child)
        return Confidant(child)
