"""What the status words of CodeArts Pipeline mean for a host that would like to be left alone. Pure.

Three vocabularies are in use: of the start of a run, of runs, stages, jobs and steps in version 5, and the older one of
version 3. A word that nobody documented counts as unknown, and never as idle.
"""

from enum import Enum

from pawld.vendors.codearts_pipeline import RunForm


class Activity(Enum):
    """What a status says of the work behind it."""

    OVER = "over"
    GOING = "going"
    WAITING = "waiting"
    UNKNOWN = "unknown"


START_FAILED = "START_FAILED"
START_SUCCESS = "START_SUCCESS"

_WORDS = {
    Activity.OVER: "COMPLETED FAILED CANCELED CANCELLED IGNORED SKIPPED UNSELECTED ASYNC_FAILED "
    "SUCCESS ERROR ABORTED",  # the last three are outcomes of version 3
    Activity.GOING: "RUNNING ASYNC_RUNNING REDISPATCH VERIFYING",
    Activity.WAITING: "INIT QUEUED PAUSED SUSPEND WAITING SUSPENDING",
}
_ACTIVITY = {word: activity for activity, words in _WORDS.items() for word in words.split()}


def activity(status: str | None) -> Activity:
    """Return what *status* says, whatever its letter case."""
    return _ACTIVITY.get((status or "").strip().upper(), Activity.UNKNOWN)


def run_activity(run: RunForm) -> tuple[Activity, str]:
    """Return what a run is doing, and the words for it.

    A run may be over while a part of it still works (an asynchronous job), so its parts are looked at too. A part that
    merely waits in a run that is over will never start.
    """
    own = activity(run.status)
    if own is not Activity.OVER:
        return own, f"it is {run.status or 'without a status'}"
    for part in run.parts:
        seen = activity(part.status) if part.status else Activity.WAITING
        if seen in (Activity.GOING, Activity.UNKNOWN):
            return seen, f"it is {run.status}, but its part {part.name or '(unnamed)'} is {part.status}"
    return own, f"it is {run.status}"
