"""Closed while the host runs on battery: an update must not be what empties it.

A host without a battery is open. One whose battery cannot be read is broken, which counts as closed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.power import Power, power_now

ASK_AGAIN = timedelta(minutes=15)
NEVER_ON_BATTERY = 100  # percent


class PowerGate:
    """The gate ``power``: on battery it is open from *min_battery* percent on; 100 means never on battery."""

    def __init__(
        self,
        *,
        min_battery: int = NEVER_ON_BATTERY,
        max_deferral: timedelta,
        name: str = "power",
        power: Callable[[], Power | None] = power_now,
    ) -> None:
        self.name = name
        self.max_deferral = max_deferral
        self._min_battery = min_battery
        self._power = power

    def check(self, now: datetime) -> Answer:
        """Ask the host where its power comes from."""
        power = self._power()
        if power is None:
            return Broken("This host does not tell whether it runs on battery.")
        if not power.on_battery:
            return Open(("on mains",))
        if power.percent is None:
            return Broken("This host runs on battery and does not tell its charge.")
        if self._min_battery < NEVER_ON_BATTERY and power.percent >= self._min_battery:
            return Open((f"on battery at {power.percent} %",))
        wanted = "mains" if self._min_battery >= NEVER_ON_BATTERY else f"mains or {self._min_battery} %"
        message = f"The host runs on battery at {power.percent} %; the gate waits for {wanted}."
        return Closed(Reason.ON_BATTERY, message, now + ASK_AGAIN)

    def release(self) -> None:
        """Hold nothing."""
