"""What a fleet's watcher wants to know beside the event: where the host came from, and its place in the rollout."""

from contextlib import suppress
from typing import Any

from pawld.errors import PawldError
from pawld.formats.record import read_custom
from pawld.lifecycle import rollout
from pawld.lifecycle.journal import Journal
from pawld.ports import Event
from pawld.reasons import Reason


def facts_of(event: Event, journal: Journal, installed: str | None, channel: str, host_id: str) -> dict[str, Any]:
    """Return the facts by name; *installed* is the version that ``current`` leads to after the event.

    ``from_version`` is what the agent was before an update, or still is where none came about; ``cohort`` is the host's
    place in the rollout of the record that was seen last, 0 ≤ cohort < 1.
    """
    return {
        "channel": channel,
        "platform": journal.fact("platform"),
        "from_version": _before(journal) if event.reason is Reason.UPDATED else installed,
        "installed": installed,
        "cohort": _cohort(journal, host_id),
    }


def _before(journal: Journal) -> str | None:
    """A slot's name is its version and twelve digits of its digest."""
    previous = journal.fact("previous")
    return previous.rpartition("-")[0] or None if isinstance(previous, str) else None


def _cohort(journal: Journal, host_id: str) -> float | None:
    kept = journal.fact("record")
    with suppress(PawldError, KeyError, TypeError):
        record = read_custom(kept["custom"], kept["length"], kept["sha256"])
        return round(rollout.cohort(host_id, record), 4)
    return None
