"""A fleet's means on whole hosts: barriers, explained decisions, and locks, configured and not wired by hand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.etcd import etcd_server
from support.fleet_host import FleetHost, code, publisher_at
from support.fleet_lock import FakeAirlock
from support.hawkbit import TOKEN, FakeHawkbit
from support.publishing import take_in

from pawld.model import RampStep
from pawld.publish.publisher import Publisher
from pawld.publish.release import Conditions

Site = tuple[Publisher, str]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with publisher_at(tmp_path / "publisher") as (publisher, url):
        take_in(publisher, "1.0.0")
        yield publisher, url


def test_a_signed_barrier_is_gone_through_in_two_cycles_without_an_operator(site: Site, tmp_path: Path) -> None:
    publisher, url = site
    host = FleetHost(tmp_path / "host", publisher, url)
    host.update()
    take_in(publisher, "2.0.0")
    take_in(publisher, "3.0.0", conditions=Conditions(min_from="2.0.0"))
    assert code(host.update()) == "updated"
    assert host.installed == "2.0.0"
    assert code(host.update()) == "updated"
    assert host.installed == "3.0.0"
    assert code(host.update()) == "up_to_date"


def test_any_hosts_decision_is_explained_also_without_the_publisher(site: Site, tmp_path: Path) -> None:
    publisher, url = site
    host = FleetHost(tmp_path / "host", publisher, url)
    host.update()
    now = publisher.clock.now()
    ramp = (RampStep(0.01, timedelta(hours=1)), RampStep(1.0, timedelta(hours=9)))
    take_in(publisher, "1.1.0", conditions=Conditions(ramp=ramp, start=now))
    host.update()
    early = host.control.explain((), now + timedelta(minutes=1), "host-77")["agents"][0]
    assert code(early) == "not_in_rollout"
    assert "Host host-77's place in the rollout of 1.1.0" in early["reason"]["message"]
    assert "its turn is at" in early["reason"]["message"]
    host.config.write_text(host.config.read_text().replace(url, "http://127.0.0.1:1"))  # nobody answers there
    late = host.control.explain((), now + timedelta(days=1), "host-77")["agents"][0]
    assert code(late) == "update_available"
    assert "by the record of" in late["reason"]["message"]
    assert "place in the rollout of 1.1.0" in " ".join(host.control.status(())["agents"][0]["why"])


def test_a_fleet_lock_is_held_for_the_swap_and_by_the_hosts_own_id(
    site: Site, tmp_path: Path, httpserver: HTTPServer
) -> None:
    publisher, url = site
    with FakeAirlock(httpserver) as airlock:
        gate = f'gates = [{{ type = "fleet_lock", base_url = "{airlock.url}", group = "canary" }}]'
        host = FleetHost(tmp_path / "host", publisher, url, agent=gate)
        airlock.holders["canary"] = ["another"]
        assert code(host.update()) == "lock_held"
        assert host.installed is None
        airlock.holders["canary"] = []
        assert code(host.update()) == "updated"
        assert airlock.holders["canary"] == []
        assert [path.rpartition("/")[2] for path in airlock.paths()][-2:] == ["pre-reboot", "steady-state"]
        assert set(airlock.unlocked) == {"host-1"}


@pytest.mark.rig("etcd")
def test_an_etcd_lock_is_held_for_the_swap(site: Site, tmp_path: Path) -> None:
    publisher, url = site
    with etcd_server(tmp_path / "etcd") as etcd:
        gate = f'gates = [{{ type = "etcd_lock", endpoints = ["{etcd.url}"], key = "fleet", slots = 1 }}]'
        key = "ZmxlZXQvc2xvdC8w"  # fleet/slot/0
        etcd.ask("/v3/kv/put", key=key, value="YW5vdGhlcg==")  # another
        host = FleetHost(tmp_path / "host", publisher, url, agent=gate)
        waiting = host.update()
        assert code(waiting) == "lock_held"
        assert "by another" in waiting["reason"]["message"]
        etcd.ask("/v3/kv/deleterange", key=key)
        assert code(host.update()) == "updated"
        assert etcd.keys("fleet") == []


def test_a_campaign_orders_and_hears_while_the_signed_record_decides(
    site: Site, tmp_path: Path, httpserver: HTTPServer
) -> None:
    publisher, url = site
    take_in(publisher, "1.1.0")
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with FakeHawkbit(httpserver) as server:
        pin = f'pin = {{ type = "hawkbit", base_url = "{server.url}", token_file = "{token}" }}'
        host = FleetHost(tmp_path / "host", publisher, url, agent=pin)
        server.sleep = "00:00:10"
        assert code(host.update()) == "not_deployed"
        assert host.installed is None
        server.deploy("7", "1.0.0")
        checked = host.control.check(())["agents"][0]
        assert code(checked) == "not_deployed"  # by what the server said; it is not asked sooner than it wants
        (tmp_path / "host/state/campaigns/acme.json").unlink()
        assert code(host.control.check(())["agents"][0]) == "update_available"
        assert server.heard == []
        assert code(host.update()) == "updated"
        assert host.installed == "1.0.0"  # an archived release, though the channel names 1.1.0
        assert server.closed() == [("7", "success")]
        assert server.attributes["platform"] == "linux-x86_64"
