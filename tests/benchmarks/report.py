"""The table and the JSON of one run: medians, and ratios pair by pair."""

import json
import platform
import shutil
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.lanes import Lane
from benchmarks.meter import Cost

Costs = Sequence[Mapping[str, Cost]]
_HEAD = f"{'':52}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'x wall':>8}{'x CPU':>8}{'x work':>8}  against"


def circumstances(facts: Mapping[str, int], disk: str) -> dict[str, Any]:
    """Return what the figures hold for."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "disk": disk,
        "cpu": _cpu(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "nginx": _said("/usr/sbin/nginx", "-v"),
        "tar": _said("tar", "--version"),
        "curl": _said("curl", "--version"),
        **facts,
    }


def show(lanes: Sequence[Lane], costs: Costs, about: Mapping[str, Any]) -> None:
    """Print the table."""
    print("; ".join(f"{name} {value}" for name, value in about.items()), f"; {len(costs)} rounds")
    print(_HEAD)
    for lane in lanes:
        print(_line(row_of(lane, costs)))


def keep(lanes: Sequence[Lane], costs: Costs, about: Mapping[str, Any], home: Path) -> None:
    """Write everything that was measured so far."""
    rows = [row_of(lane, costs) for lane in lanes]
    raw = [{name: vars(cost) for name, cost in one.items()} for one in costs]
    (home / "results.json").write_text(
        json.dumps({"about": {**about, "rounds": len(costs)}, "rows": rows, "rounds": raw}, indent=1)
    )


def row_of(lane: Lane, costs: Costs) -> dict[str, Any]:
    """Return the medians of one lane; ratios are taken within a round, then their median."""
    row: dict[str, Any] = {"name": lane.name, "against": lane.against}
    for what in ("wall", "cpu", "peak"):
        row[what] = statistics.median(getattr(one[lane.name], what) for one in costs)
    if lane.against:
        for what in ("wall", "cpu"):
            row[f"{what}_ratio"] = statistics.median(
                getattr(one[lane.name], what) / getattr(one[lane.against], what) for one in costs
            )
    if lane.against and lane.start:
        row["work_ratio"] = statistics.median(
            (one[lane.name].wall - one[lane.start].wall) / one[lane.against].wall for one in costs
        )
    return row


def _line(row: Mapping[str, Any]) -> str:
    ratios = "".join(f"{row[key]:8.2f}" if key in row else " " * 8 for key in ("wall_ratio", "cpu_ratio", "work_ratio"))
    return f"{row['name']:52}{row['wall']:8.3f}{row['cpu']:8.3f}{row['peak']:9.1f}{ratios}  {row['against'] or ''}"


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}" if models else platform.machine()


def _said(*command: str) -> str:
    if not shutil.which(command[0]):
        return "missing"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0][:60]
