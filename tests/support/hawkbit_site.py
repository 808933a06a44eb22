"""A world whose pin is a campaign server, with the real lifecycle behind it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from support.hawkbit import TOKEN, FakeHawkbit
from support.vendors import secret
from support.world import World

from pawld.lifecycle.cycle import Outcome, Patience
from pawld.model import Slot
from pawld.pins.hawkbit import Campaign, HawkbitPin, HawkbitSender, HawkbitWindow, Identity
from pawld.reasons import Reason
from pawld.report.courier import Courier
from pawld.system.http import Web
from pawld.vendors.hawkbit import Ddi, DeviceToken

MINUTE = timedelta(minutes=1)


class Site:
    """A world whose pin is the campaign server; each start of pawld has a campaign of its own."""

    def __init__(self, folder: Path, web: Web, server: FakeHawkbit) -> None:
        self.world = World(folder)
        self.world.publish("1.0.0", 1)
        self.world.update()
        self.world.publish("1.1.0", 2)
        self.folder, self.web, self.server = folder, web, server
        self.token = DeviceToken(secret(folder, TOKEN))

    def campaign(self, **changes: Any) -> Campaign:
        ddi = Ddi(self.web, self.server.url, "DEFAULT", "host-1", self.token, self.world.clock.now)
        identity = Identity("acme", {"platform": "linux-x86_64", "hw_boardname": "acme-box"})
        return Campaign(ddi, identity, self.folder / "campaign.json", self.world.clock.now, self._installed, **changes)

    def start(self, patience: Patience = Patience.RETURN) -> Reason:
        """Run one cycle as a process of its own."""
        return self.outcome(patience).reason

    def outcome(self, patience: Patience = Patience.RETURN) -> Outcome:
        """Run one, and return all that it tells."""
        campaign = self.campaign()
        self.world.pin = HawkbitPin(campaign)
        self.world.gates[:] = [HawkbitWindow(campaign)]  # type: ignore[list-item]  # a gate as good as the fake one
        with Courier([HawkbitSender(campaign, "acme")]) as courier:
            self.world.listeners[:] = [courier]
            return self.world.update(patience)

    def later(self, duration: timedelta = timedelta(minutes=6)) -> None:
        self.world.clock.wall += duration

    def _installed(self) -> Slot | None:
        return self.world.agent.installer.current()
