"""The alert rules and the dashboard that come with pawld: over metrics that it exports, loaded in a real Prometheus."""

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.control import SHA, agent
from support.prometheus import Prometheus, prometheus

from pawld.reasons import Reason
from pawld.report import metrics_endpoint
from pawld.report.metrics import Sheet, families_of, rendered
from pawld.report.spool_state import Backlog, Loss

ROOT = Path(__file__).parents[2]
RULES = ROOT / "packaging/prometheus/pawld.rules.yml"
DASHBOARD = ROOT / "packaging/grafana/pawld.json"
NOW = datetime.now(UTC)


def families() -> list[Any]:
    """Everything that pawld can export."""
    at = NOW.isoformat()
    reason = {"code": "rollback_suspected", "message": "It is so.", "next_step": "", "retry_at": at}
    wanted = {"version": "1.9.0", "sha256": SHA, "sequence": 9}
    status = agent(Reason.UP_TO_DATE, last_check=at, last_good_refresh=at, wanted=wanted) | {"reason": reason}
    sheet = Sheet(status, {"updated": 2, "rolled_back": 1}, timedelta(days=3), NOW, NOW + timedelta(days=2))
    return families_of([sheet], [Backlog("otlp", 3, {Loss.FULL: 2})])


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def expressions() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def asked() -> str:
    """Everything that the rules and the dashboard ask for, without the rules' comments and prose."""
    rules = "\n".join(line for line in RULES.read_text(encoding="utf-8").splitlines() if "#" not in line)
    queries = [one["query"]["query"] for one in dashboard()["templating"]["list"] if one["type"] == "query"]
    return "\n".join([rules, *queries, *expressions()])


def test_every_metric_that_is_asked_for_is_exported() -> None:
    exported = {one.name for one in families()}
    assert set(re.findall(r"\bpawld_\w+", asked())) <= exported


def test_every_metric_that_is_exported_is_asked_for_or_known_to_be_detail() -> None:
    unasked = {one.name for one in families()} - set(re.findall(r"\bpawld_\w+", asked()))
    assert unasked == {"pawld_build_info", "pawld_retry_timestamp_seconds"}


def test_every_label_that_is_asked_for_is_exported_with_that_metric() -> None:
    exported = {one.name: {label for labels, _ in one.samples for label in labels} for one in families()}
    for name, inside in re.findall(r"\b(pawld_\w+)\{([^}]*)\}", asked()):
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", inside)) <= exported[name] | {"instance"}, name


def test_every_reason_that_is_asked_for_is_one() -> None:
    for words in re.findall(r'\b(?:code|reason)(?:=~|!~|!=|=)\s*"([^"]+)"', asked()):
        assert all(Reason.of(word) for word in words.split("|"))


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    found = dashboard()
    assert found["id"] is None, "a number would overwrite somebody's dashboard"
    assert found["schemaVersion"] >= 36
    assert found["title"]
    variables = {one["name"]: one for one in found["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    panels = found["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 10
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels:
        assert panel["datasource"] == source, panel["title"]
        assert panel["targets"], panel["title"]
        assert all(target["datasource"] == source and target["expr"] for target in panel["targets"])


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        rows, columns = range(place["y"], place["y"] + place["h"]), range(place["x"], place["x"] + place["w"])
        cells = {(row, column) for row in rows for column in columns}
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


@pytest.mark.rig("promtool")
@pytest.mark.parametrize("words", [("check", RULES), ("test", Path(__file__).with_name("alerts.yml"))], ids=str)
def test_the_alerts_fire_where_they_should_and_nowhere_else(words: tuple[str, Path]) -> None:
    done = subprocess.run(["promtool", words[0], "rules", words[1]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def scraping(tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus with our rules that has scraped our own endpoint."""
    served = metrics_endpoint.serve("127.0.0.1:0", lambda: rendered(families()))
    try:
        with prometheus(tmp_path, RULES, served.port) as running:
            running.until(lambda: running.query("pawld_build_info"))
            yield running
    finally:
        served.close()


@pytest.mark.rig("prometheus")
def test_a_real_prometheus_scrapes_alerts_and_answers_the_dashboard(scraping: Prometheus) -> None:
    for family in families():
        found = scraping.query(family.name)
        assert len(found) == len(family.samples), family.name
    for expression in expressions():
        scraping.query(expression.replace("$agent", ".*"))  # an error would be raised
    scraping.until(lambda: {rule["health"] for rule in scraping.rules()} == {"ok"})
    scraping.until(lambda: scraping.query('ALERTS{alertname="PawldRefused", alertstate="firing"}'))
    assert scraping.query('ALERTS{alertname="PawldRefused"}')[0]["metric"]["code"] == "rollback_suspected"
