"""Where this host's power comes from."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from pawld.system.process import Finished, run
from pawld.values import dataclass

_SUPPLIES = Path("/sys/class/power_supply")
_UNKNOWN = 255  # GetSystemPowerStatus
_NO_BATTERY = 128


@dataclass(frozen=True, slots=True)
class Power:
    """*percent* is the charge of the emptiest battery; None where it is not told, or there is none."""

    on_battery: bool
    percent: int | None = None


def power_now() -> Power | None:
    """Ask this host; None where it does not tell."""
    if sys.platform == "win32":
        return _of_windows()
    return of_macos() if sys.platform == "darwin" else of_linux()


def of_linux(supplies: Path = _SUPPLIES) -> Power | None:
    """Read sysfs-class-power: mains that is online decides; batteries of mice and headsets do not count.

    A host without the directory, such as a container or a server, has no battery.
    """
    found = [_properties(one) for one in sorted(supplies.glob("*"))]
    batteries = [one for one in found if one.get("type") == "Battery" and one.get("scope") != "Device"]
    if not batteries or any(one.get("online") == "1" for one in found if one.get("type") != "Battery"):
        return Power(on_battery=False)
    states = {one.get("status", "Unknown") for one in batteries}
    charges = [int(one["capacity"]) for one in batteries if one.get("capacity", "").isdigit()]
    if "Discharging" in states:
        return Power(on_battery=True, percent=min(charges, default=None))
    return None if states == {"Unknown"} else Power(on_battery=False)


def _properties(supply: Path) -> dict[str, str]:
    names = ("type", "scope", "online", "status", "capacity")
    return {name: text for name in names if (text := _text(supply / name))}


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def of_macos(ask: Callable[[tuple[str, ...]], Finished] = run) -> Power | None:
    """Read ``pmset -g batt``: ``Now drawing from 'Battery Power'``, then a line a battery with its charge."""
    finished = ask(("/usr/bin/pmset", "-g", "batt"))
    source = re.search(r"drawing from '([^']+)'", finished.output)
    if not finished.ok or source is None:
        return None
    charges = [int(charge) for charge in re.findall(r"(\d{1,3})%", finished.output)]
    return Power(on_battery=source[1] == "Battery Power", percent=min(charges, default=None))


def of_windows(line: int, flag: int, percent: int) -> Power | None:
    """Judge the answer of GetSystemPowerStatus: ACLineStatus, BatteryFlag and BatteryLifePercent."""
    if flag != _UNKNOWN and flag & _NO_BATTERY:
        return Power(on_battery=False)
    if line == _UNKNOWN:
        return None
    return Power(on_battery=line == 0, percent=None if percent == _UNKNOWN else percent)


def _of_windows() -> Power | None:  # pragma: no cover - runs under Wine, where no coverage is taken
    if sys.platform != "win32":
        return None
    import ctypes  # noqa: PLC0415 - on Windows alone

    answer = (ctypes.c_ubyte * 12)()  # SYSTEM_POWER_STATUS: four bytes, then two DWORDs
    told = ctypes.WinDLL("kernel32").GetSystemPowerStatus(ctypes.byref(answer))
    return of_windows(answer[0], answer[1], answer[2]) if told else None
