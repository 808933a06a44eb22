"""The answer to "why is this host not updated?", as one document, from the journal and the disk alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pawld.lifecycle.blocklist import Blocklist
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import (
    Downloading,
    Idle,
    Probation,
    RollingBack,
    Staging,
    State,
    Swapping,
    Verifying,
    Waiting,
)
from pawld.model import Blocked, Slot
from pawld.ports import Event
from pawld.reasons import Reason


def describe(
    name: str, channel: str, current: Slot | None, slots: Sequence[Slot], journal: Journal, blocklist: Blocklist
) -> dict[str, Any]:
    """Return the status document of one agent; its form is a contract with other programs."""
    state = journal.state()
    reason, message, retry_at = _reason(state)
    return {
        "name": name,
        "platform": journal.fact("platform"),
        "channel": channel,
        "installed": _installed(current),
        "wanted": journal.fact("wanted"),
        "state": state.state,
        "reason": reason.document(message, retry_at),
        "last_check": journal.fact("last_check"),
        "last_good_refresh": journal.fact("last_good_refresh"),
        "blocked": [_blocked(one) for one in blocklist.all()],
        "slots": [one.name for one in slots],
        "why": [f"{one['who']}: {one['what']}" for one in journal.fact("why") or []],
    }


def describe_unknown(name: str, channel: str, current: Slot | None, slots: Sequence[Slot]) -> dict[str, Any]:
    """Return the document of an agent that no cycle has looked at yet: what the disk tells."""
    idle = Idle()
    return {
        "name": name,
        "platform": None,
        "channel": channel,
        "installed": _installed(current),
        "wanted": None,
        "state": idle.state,
        "reason": idle.reason.document(idle.message),
        "last_check": None,
        "last_good_refresh": None,
        "blocked": [],
        "slots": [one.name for one in slots],
        "why": [],
    }


def with_alarm(document: dict[str, Any], longest: timedelta, now: datetime, first: str | None = None) -> dict[str, Any]:
    """Turn the reason of a quiet agent into an alarm where no good refresh came for longer than *longest*.

    An agent that never had one counts from its *first* check.
    """
    refreshed = document["last_good_refresh"] or first
    if refreshed is None or document["state"] != Idle.state or now - datetime.fromisoformat(refreshed) <= longest:
        return document
    days = (now - datetime.fromisoformat(refreshed)) / timedelta(days=1)
    message = f"No good refresh for {days:.1f} days. Last outcome: {document['reason']['message']}"
    alarm = Reason.METADATA_STALE.document(message) | {"retry_at": document["reason"]["retry_at"]}
    return document | {"reason": alarm}


def with_nobody_at_work(document: dict[str, Any]) -> dict[str, Any]:
    """Say of a step under way that it was interrupted, for its process is gone; a reason that says more stays."""
    if document["reason"]["code"] not in (Reason.IN_PROGRESS.code, Reason.ON_PROBATION.code):
        return document
    step = document["state"].replace("_", " ")
    message = f"It was interrupted during {step}: no pawld is at work. The next start of pawld goes on."
    return document | {"reason": Reason.INTERRUPTED.document(message)}


def event_document(event: Event) -> dict[str, Any]:
    """Return one line of history."""
    return {
        "at": _stamp(event.at),
        "agent": event.agent,
        "state": event.state,
        "reason": event.reason.document(event.message),
        "version": event.version,
        "sha256": event.sha256,
    }


def _reason(state: State) -> tuple[Reason, str, datetime | None]:
    match state:
        case Idle() | Waiting():
            return state.reason, state.message, state.retry_at
        case RollingBack():
            return state.stuck or state.reason, state.trouble or state.message, None
        case Probation():
            return Reason.ON_PROBATION, f"{state.build.version} is on probation.", None
        case Downloading() | Verifying() | Staging() | Swapping():
            return Reason.IN_PROGRESS, f"{state.build.version} is being installed.", None


def _installed(current: Slot | None) -> dict[str, Any] | None:
    if current is None:
        return None
    return {"version": current.version, "sha256": current.sha256, "since": _stamp(current.installed_at)}


def _blocked(one: Blocked) -> dict[str, Any]:
    return {"version": one.version, "sha256": one.sha256, "cause": one.cause, "until": _stamp(one.until)}


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
