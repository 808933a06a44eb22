"""What ``status`` and the idle daemon need of the configuration, read without pydantic: 15 ms instead of 150.

It is for what was judged before: anything odd goes to ``load``, which judges it and says what is wrong.
"""

import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pawld.settings.merge import Draft, gather
from pawld.settings.places import state_directory
from pawld.settings.units import read_duration
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class OutlinedAgent:
    """An agent's place and stream.

    Attributes:
        updater: it is pawld itself.
        max_staleness: its own, or the updater's.
    """

    name: str
    product: str
    root: Path
    channel: str
    updater: bool = False
    max_staleness: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class OutlinedReport:
    """How the daemon itself speaks, as ``[report]`` says."""

    log_level: str = "info"
    log_format: str = "auto"
    metrics_listen: str | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the state lies, how often to look, and which agents there are."""

    state_dir: Path
    check_every: timedelta
    max_staleness: timedelta
    agents: tuple[OutlinedAgent, ...]
    host_id: str | None = None
    report: OutlinedReport = OutlinedReport()
    longest_cycle: timedelta = timedelta(hours=18)


def outline(path: Path | None, environ: Mapping[str, str]) -> Outline:
    """Read the outline; ``OperatorError`` as ``load`` raises it."""
    draft = gather(path, environ)
    try:
        return _outlined(draft.tree)
    except (AttributeError, KeyError, TypeError, ValueError):
        return _judged(draft)


def _outlined(tree: Mapping[str, Any]) -> Outline:
    updater, report = tree.get("updater", {}), tree.get("report", {})
    staleness = updater.get("max_staleness", "3d")
    agents = tuple(_agent(name, table, staleness) for name, table in tree["agents"].items())
    if not agents:
        raise ValueError("no agents")
    spoken = ("log_level", "log_format", "metrics_listen")
    return Outline(
        Path(updater.get("state_dir") or state_directory(sys.platform)),
        read_duration(updater.get("check_every", "1h")),
        read_duration(staleness),
        agents,
        updater.get("host_id"),
        OutlinedReport(**{name: report[name] for name in spoken if name in report}),
        read_duration(updater.get("download_deadline", "12h"))
        + max(read_duration(table.get("limits", {}).get("cycle", "6h")) for table in tree["agents"].values()),
    )


def _agent(name: str, table: Mapping[str, Any], staleness: str) -> OutlinedAgent:
    words = table.get("product", name), table.get("channel", "stable")
    if not all(isinstance(word, str) for word in words):
        raise TypeError(name)
    own = read_duration(table.get("max_staleness", staleness))
    return OutlinedAgent(name, words[0], Path(table["root"]), words[1], _is_pawld(table), own)


def _is_pawld(table: Mapping[str, Any]) -> bool:
    """Say whether the agent is pawld itself, which the check of that type is for."""
    return any(check["type"] == "updater" for check in table.get("health", {}).get("checks", ()))


def _judged(draft: Draft) -> Outline:
    from pawld.settings.reading import judged  # noqa: PLC0415 - heavy, and only where something is odd

    settings = judged(draft)
    updater, report = settings.updater, settings.report
    agents = (
        OutlinedAgent(name, one.product, one.root, one.channel, one.is_pawld, settings.staleness(name))
        for name, one in settings.agents.items()
    )
    return Outline(
        updater.state_dir,
        updater.check_every,
        updater.max_staleness,
        tuple(agents),
        updater.host_id,
        OutlinedReport(report.log_level, report.log_format, report.metrics_listen),
        updater.download_deadline + max(one.limits.cycle for one in settings.agents.values()),
    )
