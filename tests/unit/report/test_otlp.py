"""Outcomes and metrics as a collector reads them: real OTLP protobuf, decoded by OpenTelemetry's own definitions."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.control import agent
from support.letters import AT, HOST, document, outcome

pytest.importorskip("opentelemetry.sdk", reason="pawld[otel] is not installed")

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

import pawld.report
from pawld import __version__
from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.reasons import Reason
from pawld.report.letter import Letter, written
from pawld.report.metrics import Sheet, families_of
from pawld.report.otlp import Collector, OtlpLogs, OtlpMetrics
from pawld.system.http import Web
from pawld.system.secret import Secret

FACTS = {
    "channel": "stable",
    "platform": "linux-x86_64",
    "from_version": "1.0.0",
    "installed": "1.1.0",
    "cohort": 0.25,
    "address": "https://signed.example/?token=secret",  # none of ours; whatever comes to be in a document
}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@contextmanager
def collector(url: str, headers: Secret | None = None) -> Iterator[Collector]:
    with Web() as web:
        yield Collector(web, url, lambda: AT, headers)


def send(server: HTTPServer, letter: Letter, path: str = "", headers: Secret | None = None) -> None:
    with collector(server.url_for(path).rstrip("/"), headers) as opened:
        OtlpLogs(opened, HOST).send(letter)


def plain(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def received(server: HTTPServer) -> tuple[LogRecord, Mapping[str, Any]]:
    """The one record that came, and its resource."""
    ((request, _),) = server.log
    assert request.headers["Content-Type"] == "application/x-protobuf"
    (resource,) = ExportLogsServiceRequest.FromString(request.data).resource_logs
    (scope,) = resource.scope_logs
    assert (scope.scope.name, scope.scope.version) == ("pawld", __version__)
    (record,) = scope.log_records
    return record, plain(resource.resource.attributes)


def test_an_outcome_is_one_log_record_with_its_facts(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "from=environment")
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("", headers=PROTOBUF)
    send(httpserver, Letter(1, written(outcome(1), HOST, FACTS), lost=3))
    record, resource = received(httpserver)
    assert (record.event_name, record.severity_text, record.body.string_value) == (
        "pawld.outcome",
        "INFO",
        "Updated to 1.1.0.",
    )
    assert record.time_unix_nano == int((AT + timedelta(minutes=1)).timestamp()) * 10**9
    assert plain(record.attributes) == {
        "log.record.uid": document(1)["id"],
        "pawld.agent": "acme",
        "pawld.state": "idle",
        "pawld.channel": "stable",
        "pawld.platform": "linux-x86_64",
        "pawld.version.from": "1.0.0",
        "pawld.version.to": "1.1.0",
        "pawld.version.installed": "1.1.0",
        "pawld.sha256": f"{1:064x}",
        "pawld.cohort": 0.25,
        "pawld.reason.code": "updated",
        "pawld.reports.lost": 3,
    }
    assert resource == {
        "service.name": "pawld",
        "service.version": __version__,
        "service.instance.id": HOST,
        "host.id": HOST,
    }
    assert [thread.name for thread in threading.enumerate() if "tel" in thread.name.lower()] == []


@pytest.mark.parametrize(
    ("reason", "severity"), [(Reason.UPDATED, "INFO"), (Reason.UNREACHABLE, "WARN"), (Reason.HEALTH_FAILED, "ERROR")]
)
def test_a_record_is_as_severe_as_its_reason(httpserver: HTTPServer, reason: Reason, severity: str) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("")
    send(httpserver, Letter(1, written(outcome(1, reason), HOST, {})))
    assert received(httpserver)[0].severity_text == severity


def test_a_code_of_a_newer_pawld_that_was_taken_back_is_sent_too(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("")
    told = document(1)
    told["reason"]["code"] = "of_tomorrow"
    send(httpserver, Letter(1, told))
    record, _ = received(httpserver)
    assert (record.severity_text, plain(record.attributes)["pawld.reason.code"]) == ("WARN", "of_tomorrow")


def test_headers_come_from_a_secret_file_and_a_path_is_kept(httpserver: HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.touch(0o600)
    file.write_text("Authorization=Basic%20YWJjOmRlZg==,X-Scope-OrgID = fleet,Content-Type=text/plain\n")
    httpserver.expect_request("/otlp/v1/logs", "POST").respond_with_data("")
    send(httpserver, Letter(1, document(1)), "/otlp/", Secret.from_file(file))
    ((request, _),) = httpserver.log
    assert (request.headers["Authorization"], request.headers["X-Scope-OrgID"]) == ("Basic YWJjOmRlZg==", "fleet")
    assert request.headers["Content-Type"] == "application/x-protobuf"


@pytest.mark.parametrize(
    "text", ["Bearer abc", "Name: value", "Name=", "a=b,", "Name=va%0alue", "=secret", "Name=w%C3%B6rd"]
)
def test_what_is_no_header_is_for_a_person_and_never_quoted(httpserver: HTTPServer, tmp_path: Path, text: str) -> None:
    file = tmp_path / "headers"
    file.touch(0o600)
    file.write_text(f"{text}\n")
    with pytest.raises(OperatorError, match=r"report\.otlp_headers") as raised:
        send(httpserver, Letter(1, document(1)), headers=Secret.from_file(file))
    assert text not in raised.value.message
    assert httpserver.log == []


def partial(count: int, why: str) -> bytes:
    message = ExportLogsPartialSuccess(rejected_log_records=count, error_message=why)
    return bytes(ExportLogsServiceResponse(partial_success=message).SerializeToString())


@pytest.mark.parametrize(
    ("body", "kind", "error", "told"),
    [
        (partial(1, "no such tenant"), PROTOBUF, RejectedError, "never take it: no such tenant"),
        (partial(1, "\x1b[2Jupdated\nby"), PROTOBUF, RejectedError, r"never take it: \?\[2Jupdated\?by"),
        (b"\xff\xff\xff", PROTOBUF, TransientError, "did not answer in OTLP"),
        (b"<html>", {"Content-Type": "text/html; charset=utf-8"}, TransientError, "a web page"),
    ],
    ids=["rejected", "controls", "garbage", "portal"],
)
def test_an_answer_that_is_no_acknowledgement_is_none(
    httpserver: HTTPServer, body: bytes, kind: dict[str, str], error: type[PawldError], told: str
) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data(body, headers=kind)
    with pytest.raises(error, match=told):
        send(httpserver, Letter(1, document(1)))


def test_a_warning_beside_a_success_is_none_of_ours(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data(partial(0, "deprecated"), headers=PROTOBUF)
    send(httpserver, Letter(1, document(1)))


def test_what_was_taken_is_delivered_though_more_is_said_than_is_read(httpserver: HTTPServer) -> None:
    answer = partial(1, "x" * 100_000)
    httpserver.expect_request("/v1/logs").respond_with_data(answer, content_type="application/x-protobuf")
    send(httpserver, Letter(1, document(1), 0))
    assert len(httpserver.log) == 1


def test_a_collector_that_is_busy_says_when_to_come_again(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("", status=503, headers={"Retry-After": "120"})
    with pytest.raises(TransientError, match="/v1/logs answered 503") as raised:
        send(httpserver, Letter(1, document(1)))
    assert raised.value.retry_after == timedelta(minutes=2)
    assert len(httpserver.log) == 1, "the spool tries again, and nobody else"


def test_without_the_extra_a_person_is_told_what_to_install(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pawld.report.otlp_records", None)
    monkeypatch.delattr(pawld.report, "otlp_records", raising=False)
    with pytest.raises(OperatorError, match=r"pip install 'pawld\[otel\]'") as raised:
        send(httpserver, Letter(1, document(1)))
    assert raised.value.reason is Reason.CONFIG_INVALID
    assert httpserver.log == []


def test_the_metrics_go_the_same_way_under_the_names_that_prometheus_gives_them(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/metrics", "POST").respond_with_data("", headers=PROTOBUF)
    sheet = Sheet(agent(Reason.UP_TO_DATE, last_check=AT.isoformat()), {"updated": 2}, timedelta(days=3), AT)
    families = families_of([sheet])
    with collector(httpserver.url_for("").rstrip("/")) as opened:
        OtlpMetrics(opened, HOST).send(families, AT)
    ((request, _),) = httpserver.log
    (resource,) = ExportMetricsServiceRequest.FromString(request.data).resource_metrics
    assert plain(resource.resource.attributes)["host.id"] == HOST
    (scope,) = resource.scope_metrics
    found = {one.name: one for one in scope.metrics}
    assert sorted(found) == sorted(one.name for one in families)
    counted = found["pawld_outcomes_total"].sum
    assert (counted.is_monotonic, counted.aggregation_temporality) == (True, 2)
    (point,) = counted.data_points
    assert (plain(point.attributes), point.as_double or point.as_int) == ({"agent": "acme", "reason": "updated"}, 2)
    (looked,) = found["pawld_last_check_timestamp_seconds"].gauge.data_points
    assert looked.as_double == AT.timestamp()
    assert looked.time_unix_nano == int(AT.timestamp()) * 10**9


def test_metrics_that_a_collector_rejects_are_an_error(httpserver: HTTPServer) -> None:
    answers = [(partial(2, "too many"), RejectedError), (b"\xff\xff\xff", TransientError)]
    families = families_of([Sheet(agent(Reason.UP_TO_DATE), {}, timedelta(days=3), AT)])
    for body, error in answers:
        httpserver.expect_oneshot_request("/v1/metrics").respond_with_data(body, headers=PROTOBUF)
        with collector(httpserver.url_for("").rstrip("/")) as opened, pytest.raises(error):
            OtlpMetrics(opened, HOST).send(families, AT)


def test_no_proxy_and_no_endpoint_of_the_environment_is_asked(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "HTTP_PROXY", "http_proxy"):
        if os.name != "nt" or name.isupper():
            monkeypatch.setenv(name, "http://127.0.0.1:1")
    httpserver.expect_request("/v1/logs", "POST").respond_with_data("")
    told = replace(outcome(1), message="x" * 9999)
    send(httpserver, Letter(1, written(told, HOST, {})))
    assert len(received(httpserver)[0].body.string_value) == 4096
