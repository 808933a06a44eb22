"""The doctor sees whether reports wait, were lost, or cannot be made at all."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from support.letters import document

from pawld.doctor import reports as module
from pawld.doctor.reports import reports
from pawld.report.spool import Spool
from pawld.settings.updater import Report

BOTH = Report(webhook_url="https://hooks.example", otlp_url="https://collector.example")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _name: importlib.util.find_spec("json"))


def told(directory: Path, report: Report) -> list[tuple[str, str]]:
    return [(finding.level.value, finding.evidence) for finding in reports(directory, report)]


def spooled(directory: Path, to: str, count: int, most: int = 10) -> None:
    spool = Spool(directory / "spool" / to, size=1 << 20, most=most)
    for number in range(count):
        spool.put(document(number))


def test_a_host_that_reports_to_nobody_has_nothing_to_say(tmp_path: Path) -> None:
    spooled(tmp_path, "webhook", 1)
    assert told(tmp_path, Report()) == []


def test_what_waits_and_what_was_lost_is_told(tmp_path: Path) -> None:
    spooled(tmp_path, "webhook", 3, most=2)
    assert told(tmp_path, BOTH) == [("warning", "2 reports wait for webhook, and 1 were lost so far.")]


def test_an_empty_spool_is_well(tmp_path: Path) -> None:
    spooled(tmp_path, "otlp", 1)
    (tmp_path / "spool/otlp/000000000001.json").unlink()
    assert told(tmp_path, BOTH) == [("ok", "0 reports wait for otlp, and 0 were lost so far.")]


def absent(_name: str) -> Any:
    return None


def no_parent(name: str) -> Any:
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("missing", [absent, no_parent])
def test_a_missing_sdk_is_told_with_its_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: Any) -> None:
    monkeypatch.setattr(module, "find_spec", missing)
    (finding,) = reports(tmp_path, BOTH)
    assert "OpenTelemetry" in finding.evidence
    assert "pip install 'pawld[otel]'" in finding.mend
