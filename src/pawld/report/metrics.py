"""Metrics in Prometheus' text format (version 0.0.4), made of the same documents that ``status`` shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pawld import __version__
from pawld.report.spool_state import Backlog, Loss
from pawld.values import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STATES = ("idle", "downloading", "verifying", "staging", "waiting", "swapping", "probation", "rolling_back")
_DIGITS = 12  # of a sha256, as slots are named

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one agent's metrics are made of.

    Attributes:
        status: its document as ``status --json`` shows it.
        outcomes: how often each reason ended a cycle.
        expires: when the signed metadata that was seen last is no longer fresh.
    """

    status: Mapping[str, Any]
    outcomes: Mapping[str, int]
    max_staleness: timedelta
    now: datetime
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with its samples: labels and value."""

    name: str
    kind: Literal["gauge", "counter"]
    told: str
    samples: Sequence[Sample]


def rendered(families: Sequence[Family]) -> str:
    """Return the whole page."""
    return "".join(_written(family) for family in families)


def families_of(sheets: Sequence[Sheet], backlogs: Sequence[Backlog] = ()) -> list[Family]:
    """Return every family that has samples."""
    return [family for family in (*_of_agents(sheets), *_of_spools(backlogs)) if family.samples]


def _of_spools(backlogs: Sequence[Backlog]) -> Iterator[Family]:
    waiting: list[Sample] = [({"to": one.to}, one.waiting) for one in backlogs]
    lost: list[Sample] = [
        ({"to": one.to, "cause": cause.value}, one.losses.get(cause, 0)) for one in backlogs for cause in Loss
    ]
    yield Family("pawld_spooled_reports", "gauge", "Reports that wait to be sent.", waiting)
    yield Family("pawld_lost_reports_total", "counter", "Reports that were never delivered.", lost)


def _of_agents(sheets: Sequence[Sheet]) -> Iterator[Family]:
    def each(samples: Callable[[Sheet], list[Sample]]) -> list[Sample]:
        return [({"agent": one.status["name"], **labels}, value) for one in sheets for labels, value in samples(one)]

    gauges: tuple[tuple[str, str, Callable[[Sheet], list[Sample]]], ...] = (
        ("pawld_installed_info", "The installed build.", lambda one: _build(one.status["installed"])),
        ("pawld_wanted_info", "The build that is wanted.", lambda one: _build(one.status["wanted"])),
        ("pawld_state", "1 for the state that the agent is in.", _states),
        ("pawld_reason", "1 for the reason that the status gives.", _reason),
        (
            "pawld_last_check_timestamp_seconds",
            "When a cycle looked last.",
            lambda one: _moment(one.status["last_check"]),
        ),
        (
            "pawld_last_good_refresh_timestamp_seconds",
            "When trust was last refreshed.",
            lambda one: _moment(one.status["last_good_refresh"]),
        ),
        (
            "pawld_metadata_expiry_timestamp_seconds",
            "When the signed metadata that was seen last expires.",
            lambda one: _moment(one.expires),
        ),
        (
            "pawld_retry_timestamp_seconds",
            "When it is tried again, where a time is known.",
            lambda one: _moment(one.status["reason"]["retry_at"]),
        ),
        ("pawld_stale", "1 where no good refresh came for max_staleness.", _stale),
        ("pawld_blocked_builds", "Builds blocked here.", lambda one: [({}, len(one.status["blocked"]))]),
        ("pawld_slots", "Complete slots on disk.", lambda one: [({}, len(one.status["slots"]))]),
    )
    yield Family("pawld_build_info", "gauge", "The version of pawld.", [({"version": __version__}, 1)])
    for name, told, samples in gauges:
        yield Family(name, "gauge", told, each(samples))
    yield Family("pawld_outcomes_total", "counter", "How cycles ended.", each(_outcomes))


def _outcomes(sheet: Sheet) -> list[Sample]:
    return [({"reason": code}, count) for code, count in sorted(sheet.outcomes.items())]


def _build(build: Mapping[str, Any] | None) -> list[Sample]:
    if not build:
        return []
    return [({"version": str(build["version"]), "sha256": str(build["sha256"])[:_DIGITS]}, 1)]


def _states(sheet: Sheet) -> list[Sample]:
    return [({"state": state}, float(state == sheet.status["state"])) for state in _STATES]


def _reason(sheet: Sheet) -> list[Sample]:
    return [({"code": sheet.status["reason"]["code"]}, 1)]


def _moment(moment: str | datetime | None) -> list[Sample]:
    if moment is None:
        return []
    return [({}, (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp())]


def _stale(sheet: Sheet) -> list[Sample]:
    refreshed = sheet.status["last_good_refresh"]
    late = refreshed is not None and sheet.now - datetime.fromisoformat(refreshed) > sheet.max_staleness
    return [({}, float(late or sheet.status["reason"]["code"] == "metadata_stale"))]


def _written(family: Family) -> str:
    lines = [f"# HELP {family.name} {family.told}", f"# TYPE {family.name} {family.kind}"]
    lines += [f"{family.name}{_labels(labels)} {value:.17g}" for labels, value in family.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
