"""Explain any host's decision at any time, from the record that is published now or was seen last. Nothing changes."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from pawld.errors import TransientError
from pawld.formats.record import read_custom, write_custom
from pawld.lifecycle import rollout
from pawld.lifecycle.agent import Supply
from pawld.lifecycle.decide import Decision, NotThis, Situation, Update, decide
from pawld.lifecycle.resolve import Inquiry
from pawld.model import Hold, NoBuild, Pinned, Record, Slot
from pawld.reasons import Cause
from pawld.values import dataclass

_THIS = "This host"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose decision is asked for.

    Attributes:
        at: the moment; it may lie in the future, for which the record is taken as it stands.
        host_id: None means this host, with what is installed here; another one is taken for a host that has less.
    """

    at: datetime
    host_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """A record, whose order it follows, and how old it is where it is not fresh."""

    record: Record
    pinned: Pinned | None = None
    aged: str = ""


def explain(supply: Supply, asked: Asked, installed: Slot | None, remembered: Any) -> Decision | NoBuild | Hold:
    """Return the decision, its sentence telling place, ramp and turn; *remembered* serves where the network fails.

    Raises:
        PawldError: the record can neither be fetched nor remembered.
    """
    known = _known(supply, remembered)
    if isinstance(known, NoBuild | Hold):
        return known
    this = asked.host_id in (None, supply.host_id)
    situation = Situation(
        record=known.record,
        installed=installed if this else None,
        now=asked.at,
        host_id=asked.host_id or supply.host_id,
        updater=supply.updater,
        pinned=known.pinned,
    )
    return _told(situation, _THIS if this else f"Host {asked.host_id}", known.aged)


def remembered_form(record: Record, now: datetime) -> dict[str, Any] | None:
    """Return what to keep of a record, as JSON values; None where it is one that no repository would publish."""
    try:
        custom = write_custom(record)
    except ValueError:
        return None
    custom.pop("chunks", None)
    return {"custom": custom, "length": record.length, "sha256": record.sha256, "at": now.isoformat()}


def _known(supply: Supply, remembered: Any) -> _Known | NoBuild | Hold:
    try:
        resolved = Inquiry(supply).resolve()
    except TransientError as error:
        if remembered is None or error.reason.cause is not Cause.NETWORK:
            raise
        record = read_custom(remembered["custom"], remembered["length"], remembered["sha256"])
        seen = datetime.fromisoformat(remembered["at"])
        return _Known(record, aged=f" This is by the record of {seen:%Y-%m-%d %H:%M} UTC, for now: {error.message}")
    return resolved if isinstance(resolved, NoBuild | Hold) else _Known(resolved.record, resolved.pinned)


def _told(situation: Situation, who: str, aged: str) -> Decision:
    """Put the rollout's story before every decision that is not the rollout's own."""
    decision = decide(situation)
    when = f"At {situation.now:%Y-%m-%d %H:%M} UTC: "
    story = rollout.story(situation.host_id, situation.record, situation.now, who)
    if isinstance(decision, Update):
        message = f"{story} {who} takes {situation.record.version} then."
    elif isinstance(decision, NotThis) and decision.reason in rollout.REASONS:
        message = story
    else:
        message = f"{story} {decision.message}"
    return replace(decision, message=when + message + aged)
