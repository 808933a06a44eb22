"""Who says which version this host shall run, and where its bytes may be. None of them is believed."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from pawld.model import Hold, Location, NoBuild, Offer, Pinned, Platform, Record
from pawld.reasons import Reason


class Pin(Protocol):
    """Says which version this host shall run."""

    def wanted(self, platform: Platform) -> Pinned | Hold | None:
        """Return the order; None means: follow the channel."""


@runtime_checkable
class Ordering(Protocol):
    """A pin that wants to know what became of its order."""

    def concluded(self, reason: Reason, message: str) -> None:
        """Learn how the cycle ended; it never raises, and takes a bounded time."""


class Source(Protocol):
    """Locates releases. Nothing that it says is believed."""

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        """Return what it offers: *version*, or else the channel's newest."""

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return where the bytes of this build may be, best first."""
