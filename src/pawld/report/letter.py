"""What a fleet is told of one outcome: the event as ``history --json`` shows it, and who and where this host is."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from pawld import __version__
from pawld.lifecycle.status import event_document
from pawld.ports import Event
from pawld.values import dataclass

LONGEST_MESSAGE = 4096  # characters; the whole sentence is in the history

Facts = Callable[[Event], Mapping[str, Any]]
"""Tells what is known beside the event itself: JSON values by name."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A document on its way.

    Attributes:
        number: its place in the spool.
        lost: how many documents never arrived so far, whatever the cause.
    """

    number: int
    document: Mapping[str, Any]
    lost: int = 0


def written(event: Event, host_id: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of *event*; it holds no address, so that no signed one can leave this host.

    ``id`` is made of what happened where: one that is sent twice, after a crash, has the same twice.
    """
    document = event_document(event)
    document["reason"]["message"] = document["reason"]["message"][:LONGEST_MESSAGE]
    return {"id": identity(event, host_id), **document, "host": host_id, "updater": __version__, **facts}


def identity(event: Event, host_id: str) -> str:
    """Return what tells this event from every other: 32 hexadecimal digits."""
    what = (host_id, event.agent, event.at.isoformat(), event.state, event.reason.code, event.message, event.version)
    return hashlib.sha256("\n".join(map(str, what)).encode()).hexdigest()[:32]
