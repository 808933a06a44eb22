"""What must hold while a slot is on probation."""

from datetime import timedelta
from typing import Protocol

from pawld.model import Slot
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Healthy:
    """The check holds."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sick:
    """The check fails, by a fault that may be the build's."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The check could not tell, by a fault that is not the build's: DNS, a 429, a probe that timed out on the way."""

    detail: str


Finding = Healthy | Sick | Unclear


class HealthCheck(Protocol):
    """One thing that must hold while a slot is on probation."""

    name: str
    every: timedelta

    def begin(self) -> None:
        """Note what held before the swap, so that only what got worse counts."""

    def check(self, slot: Slot) -> Finding:
        """Look once."""
