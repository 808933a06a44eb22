"""The way through barriers: a release that cannot follow the installed version is reached by way of others.

Each record names the lowest version that it may follow, so the signed records form a small graph, walked backwards from
what is wanted until something may follow what is installed. One cycle takes one step; the next cycle decides anew.
"""

from collections.abc import Callable
from dataclasses import replace

from pawld.errors import PawldError
from pawld.lifecycle.decide import Decision, NotThis, Situation, Update, decide, urgent
from pawld.model import Blocked, NoBuild, Pinned, Record
from pawld.reasons import Reason
from pawld.values import dataclass

MOST_STEPS = 16  # back from what is wanted; a longer way is a publisher's mistake


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about which record."""

    record: Record
    decision: Decision


def step_from(
    situation: Situation, ask: Callable[[str], Record | NoBuild], blocked: Callable[[Record], Blocked | None]
) -> Step:
    """Return the decision; where a barrier is in the way, that on the release by which the way leads.

    Args:
        situation: what the decision on the wanted release rests on.
        ask: returns the signed record of an archived version.
        blocked: returns what is known against a build on this host.
    """
    wanted, pressing = situation.record, urgent(situation)
    for _ in range(MOST_STEPS):
        decision = decide(situation)
        if not isinstance(decision, NotThis) or decision.reason is not Reason.STEP_NEEDED:
            return Step(situation.record, _on_the_way(decision, situation.record, wanted, pressing=pressing))
        try:
            found = ask(situation.record.min_from_version or "")
        except PawldError as error:
            return Step(situation.record, _stuck(decision, error.message))
        if isinstance(found, NoBuild):
            return Step(situation.record, _stuck(decision, found.message))
        situation = _before(situation, wanted, found, blocked(found))
    message = f"The way to {wanted.version} leads through more than {MOST_STEPS} versions."
    return Step(wanted, NotThis(Reason.STEP_NEEDED, message))


def _before(situation: Situation, wanted: Record, found: Record, blocked: Blocked | None) -> Situation:
    """The rollout of what is wanted has let this host through already; its floor is for where the way ends.

    What *wanted* has withdrawn is not passed through either.
    """
    record = replace(found, security_floor=None, withdrawn=(*found.withdrawn, *wanted.withdrawn))
    by = f"the barrier before {situation.record.version}"
    return replace(situation, record=record, blocked=blocked, pinned=Pinned(found.version, by))


def _on_the_way(decision: Decision, record: Record, wanted: Record, *, pressing: bool) -> Decision:
    if record.sha256 == wanted.sha256:
        return decision
    message = f"{decision.message} It is the way to {wanted.version}."
    if isinstance(decision, Update):
        return replace(decision, message=message, urgent=pressing)
    return replace(decision, message=message)


def _stuck(decision: NotThis, why: str) -> NotThis:
    return replace(decision, message=f"{decision.message} pawld cannot go there by itself: {why}")
