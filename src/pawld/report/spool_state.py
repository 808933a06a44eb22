"""What a spool remembers beside its documents: what was lost, and until when it rests."""

import json
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import Enum, unique
from pathlib import Path

from pawld.values import dataclass

FILES, STATE = "*.json", "state"
SPOOLS = "spool"
"""The directory of the state directory in which each receiver has its own."""

_LARGEST = 64 * 1024  # bytes


@unique
class Loss(Enum):
    """Why a document never arrived."""

    FULL = "full"
    REFUSED = "refused"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class SpoolState:
    """The memory of one spool.

    Attributes:
        losses: how many were lost so far, by cause.
        failures: how often in a row nothing could be sent.
        retry_at: nothing is sent before then.
    """

    losses: Mapping[Loss, int] = field(default_factory=dict)
    failures: int = 0
    retry_at: datetime | None = None

    @classmethod
    def read(cls, file: Path) -> "SpoolState":
        """Return what *file* holds; the counts begin anew where it cannot be read."""
        try:
            with file.open("rb") as opened:
                told = json.loads(opened.read(_LARGEST))
            losses = {Loss(cause): int(count) for cause, count in told["lost"].items()}
            moment = told["retry_at"]
            return cls(losses, int(told["failures"]), datetime.fromisoformat(moment) if moment else None)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls()

    @property
    def lost(self) -> int:
        """How many never arrived."""
        return sum(self.losses.values())

    def encoded(self) -> bytes:
        """Return what ``read`` reads."""
        lost = {cause.value: count for cause, count in self.losses.items()}
        moment = self.retry_at.isoformat() if self.retry_at else None
        return json.dumps({"lost": lost, "failures": self.failures, "retry_at": moment}).encode()

    def with_loss(self, cause: Loss) -> "SpoolState":
        """Return it with one more that was lost."""
        return replace(self, losses={**self.losses, cause: self.losses.get(cause, 0) + 1})

    def resting(self, failures: int, until: datetime) -> "SpoolState":
        """Return it with a rest."""
        return replace(self, failures=failures, retry_at=until)

    def after_delivery(self) -> "SpoolState":
        """Return it awake."""
        return replace(self, failures=0, retry_at=None)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one receiver has not been told, for the metrics."""

    to: str
    waiting: int
    losses: Mapping[Loss, int]


def backlogs(directory: Path) -> list[Backlog]:
    """Return what lies in the spools below *directory*, without changing anything."""
    try:
        spools = sorted(place for place in directory.iterdir() if place.is_dir())
        return [Backlog(one.name, len(list(one.glob(FILES))), SpoolState.read(one / STATE).losses) for one in spools]
    except OSError:
        return []
