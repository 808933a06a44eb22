"""A host's fixed place in a rollout, and how far the rollout has come. Pure: hosts agree without a server."""

import hashlib
from datetime import datetime, timedelta

from pawld.model import Record, Rollout
from pawld.reasons import Reason

REASONS = frozenset({Reason.NOT_IN_ROLLOUT, Reason.ROLLOUT_PAUSED})


def cohort(host_id: str, record: Record) -> float:
    """Return this host's place, 0 ≤ place < 1: evenly spread, and another one with every release.

    The release is in the hash, so that the same hosts are not always the first to be hurt.
    """
    release = record.rollout.salt or f"{record.product}/{record.channel}/{record.sequence}"
    digest = hashlib.sha256(f"{host_id}\n{release}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def fraction_at(rollout: Rollout, now: datetime) -> float:
    """Return which part of the hosts is allowed at *now*; between two steps it grows evenly."""
    if rollout.start is None:
        return rollout.steps[-1].fraction if rollout.steps else 1.0
    elapsed = min(now, rollout.paused_at or now) - rollout.start
    if elapsed < timedelta(0):
        return 0.0
    before = 0.0
    for step in rollout.steps:
        if elapsed < step.lasts:
            return before + (step.fraction - before) * (elapsed / step.lasts)
        elapsed -= step.lasts
        before = step.fraction
    return before if rollout.steps else 1.0


def due_at(rollout: Rollout, place: float) -> datetime | None:
    """Return when the ramp reaches *place*; None where it never does as it stands now."""
    if rollout.start is None:
        return None
    moment, before = rollout.start, 0.0
    for step in rollout.steps:
        if place < step.fraction:
            share = (place - before) / (step.fraction - before)
            return _unless_paused(moment + step.lasts * share, rollout)
        moment, before = moment + step.lasts, step.fraction
    return None


def story(host_id: str, record: Record, now: datetime, who: str = "This host") -> str:
    """Tell a host's place in the rollout, how far it has come at *now*, and when the host's turn is."""
    place, reached = cohort(host_id, record), fraction_at(record.rollout, now)
    told = f"{who}'s place in the rollout of {record.version} is {place:.2%}; it has reached {reached:.2%}"
    if place < reached:
        return f"{told}, which includes it."
    if record.rollout.paused_at is not None:
        return f"{told}, and the publisher paused it."
    due = due_at(record.rollout, place)
    return f"{told}, and its turn is at {due:%Y-%m-%d %H:%M} UTC." if due else f"{told}."


def _unless_paused(moment: datetime, rollout: Rollout) -> datetime | None:
    return None if rollout.paused_at is not None and moment > rollout.paused_at else moment
