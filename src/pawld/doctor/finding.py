"""What a check has found."""

from enum import Enum

from pawld.reasons import Reason
from pawld.values import dataclass


class Level(Enum):
    """How bad it is. Only a problem keeps an update from happening, or an agent from running."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer.

    Attributes:
        name: of the check; stable, other programs match on it.
        evidence: what was seen, in a sentence.
        mend: what to do about it; empty where nothing is to be done.
        reason: of a problem: what a cycle would answer, whose exit code the command gives.
    """

    name: str
    level: Level
    evidence: str
    mend: str = ""
    reason: Reason | None = None


def ok(name: str, evidence: str) -> Finding:
    """Nothing is to be done."""
    return Finding(name, Level.OK, evidence)


def warning(name: str, evidence: str, mend: str) -> Finding:
    """Somebody should look at it."""
    return Finding(name, Level.WARNING, evidence, mend)


def problem(name: str, reason: Reason, evidence: str, mend: str = "") -> Finding:
    """Somebody has to mend it."""
    return Finding(name, Level.PROBLEM, evidence, mend or reason.next_step, reason)
