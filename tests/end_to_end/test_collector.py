"""A whole host and an OpenTelemetry collector: down, then up; paid for only where there is something to send."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.fleet_host import FleetHost, code, publisher_at
from support.publishing import take_in

pytest.importorskip("opentelemetry.sdk", reason="pawld[otel] is not installed")

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

NOBODY = "http://127.0.0.1:1"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
_RUN = """
import sys
from pathlib import Path
from pawld.cli.control import Wish
from pawld.lifecycle.silence import Silence
from pawld.wiring.control import control
control(Path(sys.argv[1])).update((), Wish(wait=False), Silence())
import pawld.daemon.start, pawld.report.metrics_endpoint, pawld.wiring.glimpse
print(sorted(name for name in sys.modules if name.startswith(("opentelemetry", "google.protobuf"))))
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FleetHost]:
    with publisher_at(tmp_path / "publisher") as (publisher, url):
        take_in(publisher, "1.0.0")
        report = f'[report]\notlp_url = "{NOBODY}"\nmetrics_file = "{tmp_path}/pawld.prom"'
        yield FleetHost(tmp_path / "host", publisher, url, agent=report)


def reach(host: FleetHost, server: HTTPServer, more: str = "") -> None:
    """Let the collector be up, and the rest after the failure be over."""
    text = host.config.read_text().replace(NOBODY, server.url_for("").rstrip("/"))
    host.config.write_text(f"{text}\n{more}\n")
    state = host.folder / "state/spool/otlp/state"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"retry_at": None}))


def records(server: HTTPServer) -> list[dict[str, Any]]:
    requests = [ExportLogsServiceRequest.FromString(one.data) for one, _ in server.log if one.path == "/v1/logs"]
    found = [one.resource_logs[0].scope_logs[0].log_records[0] for one in requests]
    return [{one.key: one.value.string_value for one in record.attributes} for record in found]


def test_outcomes_wait_for_a_collector_that_is_down_and_the_metrics_say_so(
    host: FleetHost, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("", headers=PROTOBUF)
    httpserver.expect_request("/v1/metrics", "POST").respond_with_data("", headers=PROTOBUF)
    assert code(host.update()) == "updated"
    assert code(host.update()) == "up_to_date"
    page = (tmp_path / "pawld.prom").read_text().splitlines()
    assert 'pawld_spooled_reports{to="otlp"} 2' in page
    assert 'pawld_lost_reports_total{to="otlp",cause="full"} 0' in page
    assert any(line.startswith('pawld_metadata_expiry_timestamp_seconds{agent="acme"}') for line in page)
    reach(host, httpserver, "otlp_metrics = true")
    assert code(host.update()) == "up_to_date"
    first, second = records(httpserver)
    assert (first["pawld.reason.code"], second["pawld.reason.code"]) == ("updated", "up_to_date")
    assert (first["pawld.version.to"], second["pawld.version.from"]) == ("1.0.0", "1.0.0")
    assert list((tmp_path / "host/state/spool/otlp").glob("*.json")) == []
    (pushed,) = [one for one, _ in httpserver.log if one.path == "/v1/metrics"]
    metrics = ExportMetricsServiceRequest.FromString(pushed.data).resource_metrics[0].scope_metrics[0].metrics
    assert "pawld_outcomes_total" in [one.name for one in metrics]


def test_metrics_that_cannot_be_sent_stop_nothing(host: FleetHost, caplog: pytest.LogCaptureFixture) -> None:
    host.config.write_text(f"{host.config.read_text()}\notlp_metrics = true\n")
    assert code(host.update()) == "updated"
    assert "The metrics were not sent:" in caplog.text


def test_the_sdk_is_not_loaded_while_nothing_is_to_be_sent(host: FleetHost, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("", headers=PROTOBUF)
    host.config.write_text(host.config.read_text().replace(NOBODY, httpserver.url_for("").rstrip("/")))
    for _ in range(2):
        host.update()
    words = [sys.executable, "-c", _RUN, str(host.config)]
    quiet = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert quiet.stdout == "[]\n"
    assert len(records(httpserver)) == 2
