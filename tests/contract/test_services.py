"""One suite for every service adapter: what the lifecycle relies on, whichever manager there is."""

import os
import plistlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PureWindowsPath

import pytest
from support.launchd import FakeLaunchd
from support.windows_services import Manager

from pawld.model import Slot
from pawld.ports import Service
from pawld.service.command import CommandService
from pawld.service.launchd import LaunchdService
from pawld.service.systemd import SystemdService
from pawld.service.windows import WindowsService

AGENT = "#!/bin/sh\nexec sleep 300\n"


@dataclass
class House:
    """A service, a slot to start it from, and how to see the rollback that it was armed with."""

    service: Service
    slot: Slot
    let_time_pass: Callable[[float], None]
    fired: Callable[[], bool]
    rollback: list[str]
    clean_up: Callable[[], object]


def slot_in(root: Path) -> Slot:
    path = root / "versions" / "1.0.0-0123456789ab"
    path.mkdir(parents=True)
    (path / "agent").write_text(AGENT)
    (path / "agent").chmod(0o755)
    (root / "current").symlink_to(path)
    return Slot(path, "1.0.0", "0" * 64)


def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    host = request.getfixturevalue("systemd_host")
    root = host.shared / tmp_path.name
    slot = slot_in(root)
    unit = f"contract-{os.getpid()}-{tmp_path.name.strip('_')}.service"
    host.unit(unit, f"[Service]\nExecStart={root}/current/agent\n[Install]\nWantedBy=basic.target\n")
    service = SystemdService(unit, agent="contract", patience=timedelta(seconds=20), run=host.run)
    return House(service, slot, time.sleep, (root / "fired").exists, ["touch", f"{root}/fired"], service.stop)


def command(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    slot, pid_file = slot_in(tmp_path), tmp_path / "pid"
    ask = f"test -e {pid_file} && kill -0 $(cat {pid_file}) && cat {pid_file}"
    service = CommandService(
        start=["sh", "-c", f"{{current}}/agent & echo $! > {pid_file}"],
        stop=["sh", "-c", f"kill $(cat {pid_file}); rm {pid_file}"],
        is_running=["sh", "-c", ask],
        root=tmp_path,
        current=lambda: slot,
        token=tmp_path / "token",
        patience=timedelta(seconds=20),
    )
    return House(
        service, slot, time.sleep, (tmp_path / "fired").exists, ["touch", str(tmp_path / "fired")], service.stop
    )


def launchd(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    fake = FakeLaunchd()
    slot = slot_in(tmp_path)
    job = {"Label": "com.example.acme", "Program": str(slot.path / "agent"), "RunAtLoad": True}
    (tmp_path / "com.example.acme.plist").write_bytes(plistlib.dumps(job))
    service = LaunchdService("com.example.acme", agent="contract", daemons=tmp_path, clock=fake, run=fake.run)
    switch = "pawld.deadman.contract"
    return House(
        service,
        slot,
        lambda seconds: fake.sleep(timedelta(seconds=seconds)),
        lambda: switch in fake.jobs and fake.jobs[switch].leaves_at is None,  # the fake runs no job: loaded is armed
        ["true"],
        service.stop,
    )


def windows(_request: pytest.FixtureRequest, tmp_path: Path) -> House:
    manager = Manager()
    root = PureWindowsPath(r"C:\Program Files\Acme")
    service = WindowsService("Acme", root=root, clock=manager, services=lambda: manager)
    slot = slot_in(tmp_path)
    return House(service, slot, lambda seconds: manager.sleep(timedelta(seconds=seconds)), lambda: False, [], list)


WITH_A_SWITCH = [
    pytest.param(systemd, marks=pytest.mark.rig("systemd")),
    pytest.param(command, marks=pytest.mark.skipif(sys.platform == "win32", reason="its commands are a shell's")),
    launchd,
]


@pytest.fixture(params=[*WITH_A_SWITCH, windows])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    made: House = request.param(request, tmp_path)
    yield made
    made.service.disarm()
    made.clean_up()


def test_a_service_that_was_never_started_is_stopped_and_says_so(house: House) -> None:
    status = house.service.status()
    assert (status.running, status.pid) == (False, None)
    assert status.detail


def test_after_start_it_runs_as_a_process_without_restarts(house: House) -> None:
    house.service.start(house.slot)
    status = house.service.status()
    assert status.running
    assert status.pid is not None
    assert status.restarts == 0


def test_starting_a_service_that_runs_leaves_its_process_alone(house: House) -> None:
    house.service.start(house.slot)
    pid = house.service.status().pid
    house.service.start(house.slot)
    assert house.service.status().pid == pid


def test_after_stop_it_is_stopped_and_stopping_again_is_no_error(house: House) -> None:
    house.service.start(house.slot)
    house.service.stop()
    assert not house.service.status().running
    house.service.stop()


def test_a_start_after_a_stop_is_another_process(house: House) -> None:
    house.service.start(house.slot)
    pid = house.service.status().pid
    house.service.stop()
    house.service.start(house.slot)
    assert house.service.status().running
    assert house.service.status().pid != pid


@pytest.mark.parametrize("house", WITH_A_SWITCH, indirect=True)
def test_an_armed_rollback_fires_by_itself(house: House) -> None:
    house.service.start(house.slot)
    house.service.arm(timedelta(seconds=1), house.rollback)
    for _ in range(100):
        if house.fired():
            break
        house.let_time_pass(0.1)
    assert house.fired()


def test_a_disarmed_rollback_does_not_fire_and_disarming_what_is_not_armed_is_no_error(house: House) -> None:
    house.service.disarm()
    house.service.arm(timedelta(seconds=0.5), house.rollback)
    house.service.disarm()
    house.service.disarm()
    house.let_time_pass(1.5)
    assert not house.fired()


def test_evidence_is_text_and_never_an_error(house: House) -> None:
    assert isinstance(house.service.evidence(datetime(2026, 1, 1, tzinfo=UTC)), str)
