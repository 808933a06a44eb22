"""Counts how cycles ended, for the metrics; the counts lie in the journal, since each cycle is a process of its own."""

from contextlib import suppress

from pawld.errors import PawldError
from pawld.lifecycle.database import Database
from pawld.lifecycle.journal import Journal
from pawld.ports import Event

OUTCOMES = "outcomes"
"""The journal's fact that holds the counts, by reason code."""

_ENDINGS = frozenset({"idle", "waiting"})


def is_outcome(event: Event) -> bool:
    """Say whether a cycle ends with this move, rather than goes on."""
    return event.state in _ENDINGS


class Tally:
    """Adds one to the count of each outcome."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(self, event: Event) -> None:
        """Count; a count that cannot be kept is lost, and nothing else."""
        if not is_outcome(event):
            return
        with suppress(PawldError):
            journal = Journal(self._database, event.agent)
            counts = journal.fact(OUTCOMES) or {}
            journal.note(**{OUTCOMES: counts | {event.reason.code: counts.get(event.reason.code, 0) + 1}})
