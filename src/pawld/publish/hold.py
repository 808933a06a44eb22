"""Stop a release that spreads, and let it go on. The release stays the same one: its sequence does not change."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pawld.errors import OperatorError
from pawld.model import Platform, Record, Rollout
from pawld.publish.publisher import Publisher
from pawld.publish.records import on_channel, sha512_of, state
from pawld.reasons import Reason


def halt(publisher: Publisher, product: str, channel: str, platforms: tuple[Platform, ...] = ()) -> list[Record]:
    """Let nobody new have the channel's release; the ramp's time stands still. Return the records that changed."""
    now = _now(publisher)
    return _change(publisher, product, channel, platforms, lambda old: replace(_standing_still(old, now), halted=True))


def pause(publisher: Publisher, product: str, channel: str, platforms: tuple[Platform, ...] = ()) -> list[Record]:
    """Let the rollout grow no further; hosts that are in it may still update."""
    now = _now(publisher)
    return _change(publisher, product, channel, platforms, lambda old: _standing_still(old, now))


def resume(publisher: Publisher, product: str, channel: str, platforms: tuple[Platform, ...] = ()) -> list[Record]:
    """Go on after ``halt`` or ``pause``, with the ramp where it was."""
    now = _now(publisher)
    return _change(publisher, product, channel, platforms, lambda old: _going_on(old, now))


def _now(publisher: Publisher) -> datetime:
    return publisher.clock.now().replace(microsecond=0)


def _standing_still(rollout: Rollout, now: datetime) -> Rollout:
    """A ramp that was not begun, or that has no start, has no time to stop."""
    if rollout.start is None or rollout.paused_at is not None:
        return rollout
    return replace(rollout, paused_at=now)


def _going_on(rollout: Rollout, now: datetime) -> Rollout:
    going = replace(rollout, halted=False, paused_at=None)
    if rollout.start is None or rollout.paused_at is None or rollout.paused_at < rollout.start:
        return going
    return replace(going, start=rollout.start + (now - rollout.paused_at))


def _change(
    publisher: Publisher,
    product: str,
    channel: str,
    platforms: tuple[Platform, ...],
    change: Callable[[Rollout], Rollout],
) -> list[Record]:
    here = [one for one in on_channel(publisher, publisher.plan.channel(channel)) if one.product == product]
    chosen = [one for one in here if not platforms or one.platform in platforms]
    if not chosen:
        raise OperatorError(Reason.USAGE, f"Channel {channel} names no build of {product} for that platform yet.")
    changed = [replace(one, rollout=change(one.rollout)) for one in chosen]
    changed = [one for one, old in zip(changed, chosen, strict=True) if one != old]
    if changed:
        state(publisher, [(one, sha512_of(publisher, one)) for one in changed])
    return changed
