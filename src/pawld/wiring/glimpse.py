"""The quick look: state and history from the journal and the disk, without network, pydantic or any adapter."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pawld.errors import OperatorError, TransientError
from pawld.install.shelf import Shelf
from pawld.lifecycle import status
from pawld.lifecycle.blocklist import Blocklist
from pawld.lifecycle.database import Database, open_for_reading
from pawld.lifecycle.journal import Journal
from pawld.reasons import Reason
from pawld.report.metrics import Family, Sheet, families_of, rendered
from pawld.report.spool_state import SPOOLS, backlogs
from pawld.report.tally import OUTCOMES
from pawld.settings import Outline, OutlinedAgent, outline
from pawld.system.clock import SystemClock
from pawld.system.held import is_held

LOCK = "pawld.lock"  # of the one updater that changes this host, in the state directory


def status_at_a_glance(config: Path | None, environ: Mapping[str, str], agents: Sequence[str]) -> list[dict[str, Any]]:
    """Return the status document of each chosen agent."""
    found = outline(config, environ)
    lock = found.state_dir / LOCK
    # Asked before and afterwards: an updater may begin or end while its journal is read.
    at_work = is_held(lock)
    with _journal(found) as database:
        told = [_status(one, database) for one in _chosen(found, agents)]
    return told if at_work or is_held(lock) else [status.with_nobody_at_work(one) for one in told]


def current_place(config: Path | None, environ: Mapping[str, str], agent: str) -> Path:
    """Return the directory of the agent's current slot; ``TransientError`` where nothing is installed."""
    found = outline(config, environ)
    slot = Shelf(_chosen(found, [agent])[0].root).current()
    if slot is None:
        raise TransientError(Reason.NO_PREVIOUS_SLOT, f"No version of {agent} is installed on this host.")
    return slot.path


def history_at_a_glance(
    config: Path | None, environ: Mapping[str, str], agents: Sequence[str], limit: int
) -> list[dict[str, Any]]:
    """Return the last *limit* events of the chosen agents together, newest first."""
    found = outline(config, environ)
    with _journal(found) as database:
        if database is None:
            return []
        events = [event for one in _chosen(found, agents) for event in Journal(database, one.name).history(limit)]
    events.sort(key=lambda event: event.at, reverse=True)
    return [status.event_document(event) for event in events[:limit]]


def metrics_at_a_glance(config: Path | None, environ: Mapping[str, str]) -> str:
    """Return this host's metrics in Prometheus' text format."""
    return rendered(families_at_a_glance(config, environ))


def families_at_a_glance(config: Path | None, environ: Mapping[str, str]) -> Sequence[Family]:
    """Return this host's metrics."""
    found, now = outline(config, environ), SystemClock().now()
    with _journal(found) as database:
        sheets = [_sheet(one, database, now) for one in found.agents]
    return families_of(sheets, backlogs(found.state_dir / SPOOLS))


def _sheet(agent: OutlinedAgent, database: Database | None, now: datetime) -> Sheet:
    document = _status(agent, database)
    if database is None:
        return Sheet(document, {}, agent.max_staleness, now)
    journal = Journal(database, agent.name)
    expires = journal.fact("expires")
    moment = datetime.fromisoformat(expires) if expires else None
    return Sheet(document, journal.fact(OUTCOMES) or {}, agent.max_staleness, now, moment)


@contextmanager
def _journal(found: Outline) -> Iterator[Database | None]:
    database = open_for_reading(found.state_dir / "pawld.db")
    try:
        yield database
    finally:
        if database is not None:
            database.close()


def _status(agent: OutlinedAgent, database: Database | None) -> dict[str, Any]:
    shelf = Shelf(agent.root)
    current, slots = shelf.current(), shelf.slots()
    if database is None:
        return status.describe_unknown(agent.name, agent.channel, current, slots)
    journal = Journal(database, agent.name)
    document = status.describe(agent.name, agent.channel, current, slots, journal, Blocklist(database, agent.name))
    return status.with_alarm(document, agent.max_staleness, SystemClock().now(), journal.fact("first_check"))


def _chosen(found: Outline, agents: Sequence[str]) -> list[OutlinedAgent]:
    unknown = set(agents) - {one.name for one in found.agents}
    if unknown:
        known = ", ".join(one.name for one in found.agents)
        raise OperatorError(Reason.USAGE, f"There is no agent {min(unknown)!r} in the configuration; there is {known}.")
    return [one for one in found.agents if not agents or one.name in agents]
