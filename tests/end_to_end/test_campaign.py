"""A whole campaign on a real third-party server: a good build reaches everyone, a bad one is stopped by a threshold."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.goosebit import Goosebit, goosebit_server
from support.vendors import secret
from support.world import World

from pawld.lifecycle.cycle import Patience
from pawld.model import Slot
from pawld.pins.hawkbit import Campaign, HawkbitPin, HawkbitSender, HawkbitWindow, Identity
from pawld.reasons import Reason
from pawld.report.courier import Courier
from pawld.system.http import Web
from pawld.vendors.hawkbit import Ddi, DeviceToken

FAILURES = 2  # so many hosts may fail before the campaign is stopped


class Host:
    """One host of the fleet: its machine in memory, its lifecycle and its talk with the server real."""

    def __init__(self, name: str, folder: Path, web: Web, server: Goosebit) -> None:
        folder.mkdir()
        self.name = name
        self.world = World(folder)
        self.world.publish("1.0.0", 1)
        self.world.update()
        self.world.publish("1.1.0", 2)
        self.world.publish("1.2.0", 3)
        self.world.sicken("1.2.0")
        self._folder = folder
        token = DeviceToken(secret(folder, f"token-of-{name}"))
        self._ddi = Ddi(web, server.url, "DEFAULT", name, token, self.world.clock.now)

    def start(self) -> Reason:
        """Run one cycle as a process of its own, some time after the last one."""
        self.world.clock.wall += timedelta(minutes=1)
        identity = Identity("acme", {"hw_boardname": "acme", "hw_revision": "linux-x86_64"})
        campaign = Campaign(self._ddi, identity, self._folder / "campaign.json", self.world.clock.now, self._installed)
        self.world.pin = HawkbitPin(campaign)
        self.world.gates[:] = [HawkbitWindow(campaign)]  # type: ignore[list-item]  # a gate as good as the fake one
        with Courier([HawkbitSender(campaign, "acme")]) as courier:
            self.world.listeners[:] = [courier]
            return self.world.update(Patience.RETURN).reason

    def _installed(self) -> Slot | None:
        return self.world.agent.installer.current()


@pytest.fixture
def goosebit(tmp_path: Path) -> Iterator[Goosebit]:
    (tmp_path / "server").mkdir()
    with goosebit_server(tmp_path / "server") as server:
        yield server


def campaign_of(count: int, goosebit: Goosebit, folder: Path) -> None:
    with Web() as web:
        hosts = [Host(f"host-{number}", folder / f"host-{number}", web, goosebit) for number in range(count)]
        assert {host.start() for host in hosts} == {Reason.NOT_DEPLOYED}  # they register

        good = goosebit.offer("1.1.0")
        assert {host.start() for host in hosts} == {Reason.UPDATED}
        assert goosebit.rollout(good)["success_count"] == count
        assert {one["sw_version"] for one in goosebit.devices().values()} == {"1.1.0"}

        bad = goosebit.offer("1.2.0")
        ends = []
        for host in hosts:
            ends.append(host.start())
            goosebit.watch_over(bad, FAILURES)
        assert ends == [Reason.ROLLED_BACK] * FAILURES + [Reason.NOT_DEPLOYED] * (count - FAILURES)
        assert {host.world.installed for host in hosts} == {"1.1.0"}
        assert goosebit.rollout(bad)["paused"]
        assert goosebit.rollout(bad)["failure_count"] == FAILURES
        # What failed is not tried again, even by those that it was offered to.
        assert {host.start() for host in hosts} == {Reason.NOT_DEPLOYED}


@pytest.mark.rig("goosebit")
@pytest.mark.timeout(300)  # the server is installed first, where it is not there yet
def test_a_failing_build_is_stopped_by_the_threshold(goosebit: Goosebit, tmp_path: Path) -> None:
    campaign_of(8, goosebit, tmp_path)


@pytest.mark.long
@pytest.mark.rig("goosebit")
@pytest.mark.timeout(900)
def test_the_same_campaign_with_fifty_hosts(goosebit: Goosebit, tmp_path: Path) -> None:
    campaign_of(50, goosebit, tmp_path)
