"""When to look again. Pure: the same host, failures, answers and dice give the same moment.

The rules are Omaha's (protocol 4, "timing"): a period that is coprime with a day, so that no host ever keeps to an hour
of the clock; now and then some more of it; and what a server asked for is honoured, errors included, up to a day.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from math import gcd

from pawld.reasons import Cause, Exit, Reason
from pawld.values import dataclass

LONGEST_WAIT = timedelta(days=1)
SHORTEST_WAIT = timedelta(seconds=1)
LARGEST_LATENESS = timedelta(minutes=5)  # over which hosts that never looked are spread

_DAY = 86_400  # seconds
_SPREAD = 0.1  # of the period, by the host's cohort
_LATER_CHANCE, _LATER_SHARE = 0.2, 0.2  # one time in five up to a fifth of the period more
_MOST_DOUBLINGS = 20  # the exponent is clamped, or a long outage would overflow

_BACKOFF = {
    Cause.NETWORK: (timedelta(minutes=1), timedelta(hours=1)),
    Cause.HOST: (timedelta(minutes=5), timedelta(hours=6)),
    Cause.NONE: (timedelta(minutes=1), timedelta(hours=1)),
}
_BACKOFF_OF_PEOPLE = (timedelta(minutes=15), LONGEST_WAIT)  # until a publisher or an operator has done something

_SOON = frozenset({Reason.NAME_NOT_RESOLVED, Reason.TRANSFER_CUT, Reason.TRANSFER_STALLED})
"""Faults of the network that are tried again soon: the origin was not reached, or a download only has to go on."""

_BY_SERVER = frozenset({Reason.NOT_DEPLOYED, Reason.NOT_CONFIRMED})
"""A campaign server said when it is asked again."""

_WAITING = "waiting"

Dice = Callable[[], float]
"""Throws a number, 0 ≤ number < 1, evenly."""


@dataclass(frozen=True, slots=True)
class Last:
    """What the last cycle left behind.

    Attributes:
        looked: when it looked; None where it never did.
        reason: how it ended.
        state: the state that it ended in, as the status names it.
        retry_at: what a gate, the rollout, our own backoff or a server's ``Retry-After`` asked for.
    """

    looked: datetime | None
    reason: Reason = Reason.IDLE
    state: str = "idle"
    retry_at: datetime | None = None


def place_of(host_id: str) -> float:
    """Return this host's fixed place among all, 0 ≤ place < 1."""
    return int.from_bytes(hashlib.sha256(f"{host_id}\nschedule".encode()).digest()[:8]) / 2**64


def period(every: timedelta, place: float) -> timedelta:
    """Return this host's own period: *every* and up to a tenth more, in whole seconds coprime with a day."""
    seconds = max(1, round(every.total_seconds() * (1 + _SPREAD * place)))
    while gcd(seconds, _DAY) != 1:
        seconds += 1
    return timedelta(seconds=seconds)


def next_look(now: datetime, last: Last, own: timedelta, place: float, dice: Dice) -> datetime:
    """Return when to look next: always later than *now*, never later than a day or the lengthened period.

    A failure is not tried again before its ``retry_at``, nor, where an origin failed that all hosts share, sooner
    than the period: it must not be asked more often for being down. A gate names a time at which it is worth
    looking sooner, and a campaign server how often it is asked; what a rollout names is left to the period, being
    one moment for most of the fleet where a ramp ends in a step. A look that was missed comes when the one after it
    would have: phases stay as spread as they were, however many hosts were off together
    (``tests/benchmarks/origin_load.py``).
    """
    if last.looked is None or last.looked > now:  # never, or the clock was set back: nothing is known of the past
        return now + lateness(own, place)
    due = last.looked + own + _more(own, dice)
    if last.retry_at is not None:
        again = last.retry_at + _jitter(last.retry_at - now, dice)
        if last.state == _WAITING:
            due = min(due, last.retry_at)
        elif last.reason in _BY_SERVER:
            due = again  # a campaign server says itself how often it is asked
        elif _failed(last):
            due = max(due, again) if _is_the_origins(last.reason) else again
    if due <= now:
        return _in_phase(now, due, own)
    return min(max(due, now + SHORTEST_WAIT), now + _longest(own))


def after_jump(now: datetime, due: datetime, own: timedelta) -> datetime:
    """Return the new time of a look that was *due*, after the clock was set or the host slept: one look, no burst."""
    if due <= now:
        return _in_phase(now, due, own)
    return due if due - now <= _longest(own) else now + own


def lateness(own: timedelta, place: float) -> timedelta:
    """Return by how much a host's first look waits, so that hosts that are set up together do not ask together."""
    return max(SHORTEST_WAIT, min(own / 12, LARGEST_LATENESS) * place)


def backoff(failures: int, cause: Cause = Cause.NETWORK) -> timedelta:
    """Return the wait after *failures* in a row: doubled each time, between bounds that go with the *cause*."""
    first, longest = _BACKOFF.get(cause, _BACKOFF_OF_PEOPLE)
    factor: int = 2 ** min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(first * factor, longest)


def retry_at(now: datetime, failures: int, asked: timedelta | None, cause: Cause = Cause.NETWORK) -> datetime:
    """Return when to try again after a failure: our own backoff, or later where the server asked for it."""
    wait = backoff(failures, cause)
    if asked is not None:
        wait = max(wait, min(asked, LONGEST_WAIT))
    return now + wait


def _failed(last: Last) -> bool:
    return last.state == "idle" and last.reason.exit is Exit.TRY_LATER


def _is_the_origins(reason: Reason) -> bool:
    return reason.cause is Cause.NETWORK and reason not in _SOON


def _in_phase(now: datetime, due: datetime, own: timedelta) -> datetime:
    """Return the first of the looks after *due*, a period apart, that is still to come."""
    return now + own - (now - due) % own


def _more(own: timedelta, dice: Dice) -> timedelta:
    """Draw the extra delay that one look in five gets."""
    return own * _LATER_SHARE * dice() if dice() < _LATER_CHANCE else timedelta(0)


def _jitter(wait: timedelta, dice: Dice) -> timedelta:
    """Lengthen a wait after a failure by up to a tenth: what fell together shall not come back together."""
    return max(wait, timedelta(0)) * _SPREAD * dice()


def _longest(own: timedelta) -> timedelta:
    return max(own * (1 + _LATER_SHARE), LONGEST_WAIT * (1 + _SPREAD))
