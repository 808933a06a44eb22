"""When each agent is looked at next: the documents of ended work in, moments out."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pawld.lifecycle import schedule
from pawld.lifecycle.schedule import Dice, Last
from pawld.reasons import Cause, Reason

_BUSY = timedelta(minutes=1)  # until the other pawld is asked after again


def thrown() -> float:
    """Throw the dice; the module random would cost the idle daemon half a megabyte."""
    return int.from_bytes(os.urandom(6)) / 2**48


class Outlook:
    """This host's rhythm.

    Args:
        every: ``check_every`` of the configuration.
        host_id: what this host's place among all is hashed from.
    """

    def __init__(self, every: timedelta, host_id: str, dice: Dice = thrown) -> None:
        self._place = schedule.place_of(host_id)
        self._own = schedule.period(every, self._place)
        self._dice = dice
        self._crashes: dict[str, int] = {}

    def after(self, document: Mapping[str, Any], now: datetime) -> datetime:
        """Return the next look at the agent whose *document* a cycle, a check or the status gave."""
        self._crashes.pop(document["name"], None)
        reason = document.get("reason") or {}
        last = Last(
            _moment(document.get("last_check")),
            _reason(reason.get("code")),
            document.get("state") or "idle",
            _moment(reason.get("retry_at")),
        )
        if last.reason is Reason.UPDATER_BUSY:
            return now + _BUSY
        return schedule.next_look(now, last, self._own, self._place, self._dice)

    def after_crash(self, agent: str, now: datetime) -> datetime:
        """Return the next look at an agent whose cycle left no document; later with each crash in a row."""
        self._crashes[agent] = self._crashes.get(agent, 0) + 1
        return schedule.retry_at(now, self._crashes[agent], None, Cause.HOST)

    def after_jump(self, due: datetime, now: datetime) -> datetime:
        """Return the new time of a look after the clock was set, or the host slept."""
        return schedule.after_jump(now, due, self._own)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _reason(code: str | None) -> Reason:
    try:
        return Reason.of(code or Reason.IDLE.code)
    except KeyError:  # a newer pawld's word
        return Reason.UNEXPECTED
