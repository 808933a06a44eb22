"""Decide, from what is known, whether this host takes this build now. Pure: no clock, no disk, no network."""

from collections.abc import Callable
from datetime import datetime, timedelta

from pawld.lifecycle import rollout, versions
from pawld.model import Blocked, Pinned, Record, Slot
from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision rests on.

    Attributes:
        installed: what ``current`` leads to.
        blocked: what is known against this very build on this host.
        host_id: what the cohort is hashed from.
        updater: pawld's own version.
        forced: an operator said ``--force``: rollout and ``not_before`` are passed, trust never.
    """

    record: Record
    installed: Slot | None
    now: datetime
    host_id: str
    updater: str
    pinned: Pinned | None = None
    blocked: Blocked | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class UpToDate:
    """The installed build is the wanted one."""

    message: str
    reason: Reason = Reason.UP_TO_DATE


@dataclass(frozen=True, slots=True)
class Update:
    """Take the build.

    Attributes:
        urgent: what is installed lies below the signed security floor, so that gates are passed.
    """

    message: str
    urgent: bool = False
    reason: Reason = Reason.UPDATE_AVAILABLE


@dataclass(frozen=True, slots=True)
class NotThis:
    """Not this build, or not yet: why, and when to look again."""

    reason: Reason
    message: str
    retry_at: datetime | None = None


Decision = UpToDate | Update | NotThis


def decide(situation: Situation) -> Decision:
    """Return the decision; the first rule that has something to say has said it."""
    for rule in _RULES:
        decision = rule(situation)
        if decision is not None:
            return decision
    record, installed = situation.record, situation.installed
    due = f"An update from {installed.version} to" if installed else "Nothing is installed yet, and"
    return Update(f"{due} {record.version} is due.", urgent=urgent(situation))


def urgent(situation: Situation) -> bool:
    """Say whether what is installed lies below the floor that the record signs."""
    floor, installed = situation.record.security_floor, situation.installed
    return bool(floor and installed and versions.older(installed.version, floor))


def _already_there(situation: Situation) -> Decision | None:
    installed = situation.installed
    if installed is None or installed.sha256 != situation.record.sha256:
        return None
    return UpToDate(f"{installed.version} is installed, and is what is wanted.")


def _withdrawn(situation: Situation) -> Decision | None:
    record = situation.record
    if not {record.version, record.sha256} & set(record.withdrawn):
        return None
    return NotThis(Reason.BUILD_WITHDRAWN, f"{record.version} was withdrawn by its publisher.")


def _halted(situation: Situation) -> Decision | None:
    if not situation.record.rollout.halted:
        return None
    record = situation.record
    return NotThis(Reason.CHANNEL_HALTED, f"The publisher halted {record.version} on channel {record.channel}.")


def _blocked(situation: Situation) -> Decision | None:
    blocked = situation.blocked
    if blocked is None or (blocked.until is not None and blocked.until <= situation.now):
        return None
    until = f" until {blocked.until:%Y-%m-%d %H:%M} UTC" if blocked.until else ""
    message = f"{blocked.version} is blocked on this host{until} ({blocked.cause}). {blocked.lifted_by}"
    return NotThis(Reason.BUILD_BLOCKED, message.rstrip(), blocked.until)


def _below_floor(situation: Situation) -> Decision | None:
    record = situation.record
    if record.security_floor is None or versions.older(record.version, record.security_floor) is not True:
        return None
    return NotThis(
        Reason.BELOW_SECURITY_FLOOR,
        f"{record.version} lies below {record.security_floor}, the lowest version that its publisher still calls safe.",
    )


def _downgrade(situation: Situation) -> Decision | None:
    record, installed, pinned = situation.record, situation.installed, situation.pinned
    if installed is None or not _lower(record, installed):
        return None
    if installed.version in record.allow_downgrade_from or (pinned is not None and pinned.allow_downgrade):
        return None
    who = f"{pinned.by} pins" if pinned else "the channel names"
    return NotThis(
        Reason.DOWNGRADE_REFUSED,
        f"{who} {record.version}, which is older than {installed.version} that is installed.",
    )


def _lower(record: Record, installed: Slot) -> bool:
    if record.sequence and installed.sequence and record.sequence != installed.sequence:
        return record.sequence < installed.sequence
    return versions.older(record.version, installed.version) is True


def _needs_newer_updater(situation: Situation) -> Decision | None:
    wanted = situation.record.min_updater
    if wanted is None or versions.older(situation.updater, wanted) is False:
        return None
    message = f"{situation.record.version} needs pawld {wanted} or newer; this is {situation.updater}."
    return NotThis(Reason.UPDATER_TOO_OLD, message)


def _needs_step(situation: Situation) -> Decision | None:
    barrier, installed = situation.record.min_from_version, situation.installed
    if barrier is None or installed is None or versions.same(installed.version, barrier):
        return None
    if versions.older(installed.version, barrier) is False:
        return None
    return NotThis(
        Reason.STEP_NEEDED,
        f"{situation.record.version} can only follow {barrier} or newer, and {installed.version} is installed; "
        f"install {barrier} first.",
    )


def _not_before(situation: Situation) -> Decision | None:
    moment = situation.record.not_before
    if situation.forced or moment is None or moment <= situation.now:
        return None
    return NotThis(
        Reason.NOT_BEFORE, f"{situation.record.version} is for {moment:%Y-%m-%d %H:%M} UTC and later.", moment
    )


def _rollout(situation: Situation) -> Decision | None:
    record, now = situation.record, situation.now
    place = rollout.cohort(situation.host_id, record)
    reached = rollout.fraction_at(record.rollout, now)
    if situation.forced or situation.pinned or urgent(situation) or place < reached:
        return None
    told = rollout.story(situation.host_id, record, now)
    if record.rollout.paused_at is not None:
        return NotThis(Reason.ROLLOUT_PAUSED, told, now + _LOOK_AGAIN)
    return NotThis(Reason.NOT_IN_ROLLOUT, told, rollout.due_at(record.rollout, place) or now + _LOOK_AGAIN)


_LOOK_AGAIN = timedelta(hours=1)  # a ramp may be changed by its publisher at any time

_RULES: tuple[Callable[[Situation], Decision | None], ...] = (
    _already_there,
    _withdrawn,
    _halted,
    _blocked,
    _below_floor,
    _downgrade,
    _needs_newer_updater,
    _not_before,
    _rollout,
    _needs_step,  # last: the way to a release begins when its rollout has come to this host
)
