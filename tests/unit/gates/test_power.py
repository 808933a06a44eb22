from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawld.gates.power import PowerGate
from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system import power
from pawld.system.power import Power, of_linux, of_macos, of_windows, power_now
from pawld.system.process import Finished

NOW = datetime(2026, 1, 14, 12, tzinfo=UTC)


def asked(told: Power | None, **settings: int) -> Answer:
    gate = PowerGate(max_deferral=timedelta(days=1), power=lambda: told, **settings)
    gate.release()
    return gate.check(NOW)


def test_mains_is_open() -> None:
    assert isinstance(asked(Power(on_battery=False)), Open)


def test_a_battery_is_closed_however_full_unless_a_charge_is_named() -> None:
    answer = asked(Power(on_battery=True, percent=100))
    assert isinstance(answer, Closed)
    assert answer.reason is Reason.ON_BATTERY
    assert "at 100 %; the gate waits for mains." in answer.message
    assert answer.retry_at is not None


def test_a_charge_that_suffices_is_open_and_a_lower_one_is_not() -> None:
    assert isinstance(asked(Power(on_battery=True, percent=60), min_battery=60), Open)
    answer = asked(Power(on_battery=True, percent=59), min_battery=60)
    assert isinstance(answer, Closed)
    assert "mains or 60 %" in answer.message


@pytest.mark.parametrize("told", [None, Power(on_battery=True)])
def test_what_the_host_does_not_tell_counts_as_closed(told: Power | None) -> None:
    answer = asked(told, min_battery=10)
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.GATE_BROKEN


def supplies(root: Path, **found: dict[str, str]) -> Path:
    for name, properties in found.items():
        (root / name).mkdir()
        for word, text in properties.items():
            (root / name / word).write_text(f"{text}\n")
    return root


MAINS, OFF = {"type": "Mains", "online": "1"}, {"type": "Mains", "online": "0"}
FULL = {"type": "Battery", "scope": "System", "status": "Discharging", "capacity": "91"}
LOW = {"type": "Battery", "status": "Discharging", "capacity": "8"}
MOUSE = {"type": "Battery", "scope": "Device", "status": "Discharging", "capacity": "3"}
SILENT = {"type": "Battery", "status": "Discharging"}
ODD = {"type": "Battery", "status": "Unknown", "capacity": "50"}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, Power(on_battery=False)),
        ({"AC": MAINS}, Power(on_battery=False)),
        ({"AC": OFF, "BAT0": FULL}, Power(on_battery=True, percent=91)),
        ({"AC": OFF, "BAT0": FULL, "BAT1": LOW}, Power(on_battery=True, percent=8)),
        ({"AC": MAINS, "BAT0": {**FULL, "status": "Charging"}}, Power(on_battery=False)),
        ({"BAT0": {**FULL, "status": "Full"}}, Power(on_battery=False)),
        ({"ucsi": {"type": "USB", "online": "1"}, "BAT0": {**FULL, "status": "Not charging"}}, Power(on_battery=False)),
        ({"hidpp_battery_0": MOUSE}, Power(on_battery=False)),
        ({"BAT0": SILENT}, Power(on_battery=True)),
        ({"AC": OFF, "BAT0": ODD}, None),
    ],
    ids=[
        "a container",
        "a desktop",
        "a laptop unplugged",
        "two batteries",
        "charging",
        "full, without mains told",
        "on a USB charger",
        "a mouse is no battery of the host",
        "no charge told",
        "nothing told",
    ],
)
def test_linux_tells_by_sysfs(tmp_path: Path, found: dict[str, dict[str, str]], told: Power | None) -> None:
    assert of_linux(supplies(tmp_path, **found)) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t85%; discharging; 4:12 remaining\n",
            Power(on_battery=True, percent=85),
        ),
        (
            "Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining\n",
            Power(on_battery=False, percent=100),
        ),
        ("Now drawing from 'AC Power'\n", Power(on_battery=False)),
        ("", None),
    ],
    ids=["unplugged", "plugged in", "a Mac mini", "nothing told"],
)
def test_macos_tells_by_pmset(text: str, told: Power | None) -> None:
    assert of_macos(lambda command: Finished(command, 0, text, "")) == told


def test_a_pmset_that_fails_tells_nothing() -> None:
    assert of_macos(lambda command: Finished(command, 1, "Now drawing from 'AC Power'", "")) is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((1, 128, 255), Power(on_battery=False)),
        ((0, 1, 77), Power(on_battery=True, percent=77)),
        ((1, 8, 77), Power(on_battery=False, percent=77)),
        ((255, 255, 255), None),
        ((0, 255, 255), Power(on_battery=True)),
    ],
    ids=["a server", "unplugged", "charging", "unknown", "unplugged, charge unknown"],
)
def test_windows_tells_by_three_bytes(answer: tuple[int, int, int], told: Power | None) -> None:
    assert of_windows(*answer) == told


def test_each_system_is_asked_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "of_macos", lambda: Power(on_battery=True, percent=1))
    monkeypatch.setattr(power, "of_linux", lambda: Power(on_battery=True, percent=2))
    monkeypatch.setattr("sys.platform", "darwin")
    assert power_now() == Power(on_battery=True, percent=1)
    monkeypatch.setattr("sys.platform", "linux")
    assert power_now() == Power(on_battery=True, percent=2)
