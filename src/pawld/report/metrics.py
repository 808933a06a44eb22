"""Metrics in Prometheus' text format (version 0.0.4), made of the same documents that ``status`` shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pawld import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_STATES = ("idle", "downloading", "verifying", "staging", "waiting", "swapping", "probation", "rolling_back")
_DIGITS = 12  # of a sha256, as slots are named

_Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one agent's metrics are made of.

    Attributes:
        status: its document as ``status --json`` shows it.
        outcomes: how often each reason ended a cycle.
    """

    status: Mapping[str, Any]
    outcomes: Mapping[str, int]
    max_staleness: timedelta
    now: datetime


def rendered(sheets: Sequence[Sheet]) -> str:
    """Return the whole page; a family without samples is left out."""
    return "".join(_family(*family) for family in _families(sheets))


def _families(sheets: Sequence[Sheet]) -> Iterator[tuple[str, str, str, list[_Sample]]]:
    def each(samples: Any) -> list[_Sample]:
        return [({"agent": one.status["name"], **labels}, value) for one in sheets for labels, value in samples(one)]

    yield "pawld_build_info", "gauge", "The version of pawld.", [({"version": __version__}, 1)]
    yield "pawld_installed_info", "gauge", "The installed build.", each(lambda one: _build(one.status["installed"]))
    yield "pawld_wanted_info", "gauge", "The build that is wanted.", each(lambda one: _build(one.status["wanted"]))
    yield "pawld_state", "gauge", "1 for the state that the agent is in.", each(_states)
    yield "pawld_reason", "gauge", "1 for the reason that the status gives.", each(_reason)
    moments = (
        ("pawld_last_check_timestamp_seconds", "When a cycle looked last.", "last_check"),
        ("pawld_last_good_refresh_timestamp_seconds", "When trust was last refreshed.", "last_good_refresh"),
    )
    for name, told, key in moments:
        yield name, "gauge", told, each(lambda one, key=key: _moment(one.status[key]))
    yield (
        "pawld_retry_timestamp_seconds",
        "gauge",
        "When it is tried again, where a time is known.",
        each(lambda one: _moment(one.status["reason"]["retry_at"])),
    )
    yield "pawld_stale", "gauge", "1 where no good refresh came for max_staleness.", each(_stale)
    yield "pawld_blocked_builds", "gauge", "Builds blocked here.", each(lambda one: [({}, len(one.status["blocked"]))])
    yield "pawld_slots", "gauge", "Complete slots on disk.", each(lambda one: [({}, len(one.status["slots"]))])
    yield (
        "pawld_outcomes_total",
        "counter",
        "How cycles ended.",
        each(lambda one: [({"reason": code}, count) for code, count in sorted(one.outcomes.items())]),
    )


def _build(build: Mapping[str, Any] | None) -> list[_Sample]:
    if not build:
        return []
    return [({"version": str(build["version"]), "sha256": str(build["sha256"])[:_DIGITS]}, 1)]


def _states(sheet: Sheet) -> list[_Sample]:
    return [({"state": state}, float(state == sheet.status["state"])) for state in _STATES]


def _reason(sheet: Sheet) -> list[_Sample]:
    return [({"code": sheet.status["reason"]["code"]}, 1)]


def _moment(text: str | None) -> list[_Sample]:
    return [({}, datetime.fromisoformat(text).timestamp())] if text else []


def _stale(sheet: Sheet) -> list[_Sample]:
    refreshed = sheet.status["last_good_refresh"]
    late = refreshed is not None and sheet.now - datetime.fromisoformat(refreshed) > sheet.max_staleness
    return [({}, float(late or sheet.status["reason"]["code"] == "metadata_stale"))]


def _family(name: str, kind: str, told: str, samples: Sequence[_Sample]) -> str:
    if not samples:
        return ""
    lines = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{_labels(labels)} {value:.17g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
