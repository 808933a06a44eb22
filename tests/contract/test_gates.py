"""One suite for every gate: what the lifecycle relies on, whatever is asked."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.etcd import EtcdServer, etcd_server
from support.fleet_lock import FakeAirlock
from support.vendors import FakeVendor, now, secret
from support.vendors_huawei import PIPELINE, POOL, PROJECT, RUN, TASK, TOKEN, FakeCheck, FakePipeline

from pawld.gates.busy import BusyGate
from pawld.gates.codearts_pool import CodeartsPoolGate
from pawld.gates.codearts_run import CodeartsRunGate
from pawld.gates.etcd_lock import EtcdLockGate
from pawld.gates.fleet_lock import FleetLockGate
from pawld.gates.power import PowerGate
from pawld.gates.window import WindowGate
from pawld.ports import Answer, Broken, Closed, Gate, Open
from pawld.system.http import Web
from pawld.system.power import Power
from pawld.vendors.etcd import Etcd
from pawld.vendors.huawei_auth import TokenAuth

NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)  # a Wednesday
LONGEST = timedelta(days=3)


@dataclass
class House:
    """A gate with nothing against a swap, and how to put something against it, or to make it unable to answer."""

    gate: Gate
    shut: Callable[[], object]
    undo: Callable[[], object]
    confuse: Callable[[], object]
    at: datetime = NOON

    def ask(self) -> Answer:
        return self.gate.check(self.at)


def run(request: pytest.FixtureRequest, folder: Path) -> House:
    vendor = request.getfixturevalue("enter")(FakePipeline(request.getfixturevalue("httpserver")))
    gate = CodeartsRunGate(
        request.getfixturevalue("web"),
        vendor.url,
        TokenAuth(secret(folder, TOKEN)),
        now,
        project_id=PROJECT,
        runs=[(PIPELINE, RUN)],
        max_deferral=LONGEST,
    )
    return House(
        gate,
        lambda: vendor.details[RUN].update(status="RUNNING"),
        lambda: vendor.details[RUN].update(status="COMPLETED"),
        lambda: vendor.details[RUN].update(status="A_STATUS_OF_THE_FUTURE"),
    )


def pool(request: pytest.FixtureRequest, folder: Path) -> House:
    vendor = request.getfixturevalue("enter")(FakeCheck(request.getfixturevalue("httpserver")))
    gate = CodeartsPoolGate(
        request.getfixturevalue("web"),
        vendor.url,
        TokenAuth(secret(folder, TOKEN)),
        now,
        task_id=TASK,
        pool_id=POOL,
        max_deferral=LONGEST,
    )
    return House(
        gate,
        lambda: setattr(vendor, "selected", "0" * 32),
        lambda: setattr(vendor, "selected", POOL),
        lambda: setattr(vendor, "http_status", "A_STATUS_OF_THE_FUTURE"),
    )


def busy(request: pytest.FixtureRequest, folder: Path) -> House:
    lock = folder / "lock"
    gate = BusyGate(lock_file=lock, max_deferral=LONGEST)
    return House(gate, lambda: lock.write_text("busy"), lock.unlink, lock.mkdir)


def power(request: pytest.FixtureRequest, folder: Path) -> House:
    told: list[Power | None] = [Power(on_battery=False)]
    gate = PowerGate(power=lambda: told[-1], max_deferral=LONGEST)
    return House(gate, lambda: told.append(Power(on_battery=True, percent=50)), told.pop, lambda: told.append(None))


def window(request: pytest.FixtureRequest, folder: Path) -> House:
    house = House(
        WindowGate(days=["wed"], opens=time(11), closes=time(13), max_deferral=LONGEST),
        lambda: setattr(house, "at", NOON + timedelta(hours=2)),
        lambda: setattr(house, "at", NOON),
        lambda: setattr(house, "at", NOON + timedelta(days=1)),  # it cannot be confused, only be shut
    )
    return house


def fleet_lock(request: pytest.FixtureRequest, folder: Path) -> House:
    airlock = request.getfixturevalue("enter")(FakeAirlock(request.getfixturevalue("httpserver")))
    gate = FleetLockGate(request.getfixturevalue("web"), airlock.url, "host-1", max_deferral=LONGEST)

    def shut() -> None:
        airlock.holders["default"] = ["another"]

    return House(gate, shut, lambda: airlock.holders.update(default=[]), lambda: airlock.says(200 + 6, ["?"]))


def etcd_lock(request: pytest.FixtureRequest, folder: Path) -> House:
    web, server = request.getfixturevalue("web"), request.getfixturevalue("etcd")
    strange = request.getfixturevalue("httpserver")
    strange.expect_request(re.compile(".*")).respond_with_json({"kvs": "a status of the future"})
    urls = [server.url]
    facts: Any = {"key": folder.name, "slots": 1, "lease": timedelta(seconds=30), "max_deferral": LONGEST}
    gate = EtcdLockGate(lambda: Etcd(web, urls), "host-1", **facts)
    other = EtcdLockGate(lambda: Etcd(web, urls), "another", **facts)
    request.addfinalizer(other.release)
    request.addfinalizer(gate.release)

    def shut() -> None:
        gate.release()
        other.check(NOON)

    return House(gate, shut, other.release, lambda: setattr(gate, "_etcd", Etcd(web, [strange.url_for("")])))


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    with etcd_server(tmp_path_factory.mktemp("etcd")) as server:
        yield server


@pytest.fixture
def enter() -> Iterator[Callable[[FakeVendor], FakeVendor]]:
    """Hold a vendor to its documents until the test ends."""
    entered: list[FakeVendor] = []

    def enter(vendor: FakeVendor) -> FakeVendor:
        entered.append(vendor)
        return vendor

    yield enter
    for vendor in entered:
        assert not vendor.violations, vendor.violations


MAKERS = [run, pool, busy, power, window, fleet_lock, pytest.param(etcd_lock, marks=pytest.mark.rig("etcd"))]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def house(request: pytest.FixtureRequest, web: Web, tmp_path: Path) -> House:
    made: House = request.param(request, tmp_path)
    return made


def test_with_nothing_against_it_the_gate_is_open_and_says_what_it_saw(house: House) -> None:
    answer = house.ask()
    assert isinstance(answer, Open)
    assert all(answer.facts)


def test_a_closed_gate_tells_a_reason_a_sentence_and_when_to_ask_again(house: House) -> None:
    house.shut()
    answer = house.ask()
    assert isinstance(answer, Closed)
    assert answer.reason.exit.name == "TRY_LATER"
    assert answer.message.endswith(".")
    assert answer.retry_at is None or answer.retry_at > house.at


def test_it_opens_again_when_what_was_against_it_is_gone(house: House) -> None:
    house.shut()
    house.ask()
    house.undo()
    assert isinstance(house.ask(), Open)


def test_what_it_does_not_understand_never_opens_it(house: House) -> None:
    house.confuse()
    assert isinstance(house.ask(), Closed | Broken)


def test_asking_twice_and_giving_back_what_was_not_taken_are_harmless(house: House) -> None:
    house.gate.release()
    assert house.ask() == house.ask()
    house.gate.release()
    house.gate.release()


def test_it_has_a_name_and_a_longest_deferral(house: House) -> None:
    assert house.gate.name
    assert house.gate.max_deferral == LONGEST


def test_no_secret_is_in_what_it_tells(house: House) -> None:
    told = [house.ask()]
    house.shut()
    told.append(house.ask())
    assert TOKEN not in repr(told) + repr(house.gate)
