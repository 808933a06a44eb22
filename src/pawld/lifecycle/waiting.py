"""Ask the gates. The first closed one answers for all; broken counts as closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pawld.ports import Broken, Closed, Gate, Lease, Open
from pawld.reasons import Reason
from pawld.values import dataclass

LOOK_AGAIN = timedelta(minutes=5)  # where a gate names no time


@dataclass(frozen=True, slots=True)
class Held:
    """A gate is closed: which, why, and when to ask again."""

    gate: str
    reason: Reason
    message: str
    retry_at: datetime


def ask(gates: Sequence[Gate], now: datetime, since: datetime) -> Held | None:
    """Return what holds the swap back, or None; where one is closed, locks taken on the way are given back.

    The closed one too: a lock server whose answer was lost may have given what it was asked for.
    """
    for position, gate in enumerate(gates):
        answer = gate.check(now)
        if isinstance(answer, Open):
            continue
        release(gates[: position + 1])
        return _held(gate, answer, now, since)
    return None


def release(gates: Sequence[Gate]) -> None:
    """Give back whatever the gates took."""
    for gate in gates:
        gate.release()


def keep(gates: Sequence[Gate]) -> None:
    """Go on holding what an earlier process took for a swap that is not over."""
    for gate in gates:
        if isinstance(gate, Lease):
            gate.keep()


def losses(gates: Sequence[Gate]) -> str:
    """Return what is to be told of locks that were lost during the swap, as sentences after another one."""
    return "".join(f" {lost}" for gate in gates if isinstance(gate, Lease) and (lost := gate.lost()))


def overdue(gates: Sequence[Gate], held: Held, now: datetime, since: datetime) -> bool:
    """Say whether the gate that holds has done so for longer than it may."""
    gate = next(one for one in gates if one.name == held.gate)
    return now - since > gate.max_deferral


def _held(gate: Gate, answer: Closed | Broken, now: datetime, since: datetime) -> Held:
    retry_at = (answer.retry_at if isinstance(answer, Closed) else None) or now + LOOK_AGAIN
    if now - since <= gate.max_deferral:
        return Held(gate.name, answer.reason, answer.message, retry_at)
    days = (now - since) / timedelta(days=1)
    message = f"{answer.message} The update has been waiting for {days:.1f} days, which is longer than it should."
    return Held(gate.name, Reason.DEFERRED_TOO_LONG, message, retry_at)
