"""Each documented status of a start, a run and its parts by name; whatever else comes closes the gate."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import NOW, now, secret
from support.vendors_huawei import OTHER_RUN, PIPELINE, PROJECT, RUN, TOKEN, FakePipeline, start

from pawld.errors import OperatorError
from pawld.gates.codearts_run import CodeartsRunGate
from pawld.ports import Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.codearts_pipeline import BATCH
from pawld.vendors.huawei_auth import TokenAuth

MINUTE = timedelta(minutes=1)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Iterator[FakePipeline]:
    with FakePipeline(httpserver) as vendor:
        yield vendor


def made(web: Web, vendor: FakePipeline, folder: Path, *runs: tuple[str, str | None]) -> CodeartsRunGate:
    auth = TokenAuth(secret(folder, TOKEN))
    return CodeartsRunGate(web, vendor.url, auth, now, project_id=PROJECT, runs=runs)


@pytest.fixture
def gate(web: Web, vendor: FakePipeline, tmp_path: Path) -> CodeartsRunGate:
    return made(web, vendor, tmp_path, (PIPELINE, RUN))


@pytest.fixture
def pipeline_gate(web: Web, vendor: FakePipeline, tmp_path: Path) -> CodeartsRunGate:
    return made(web, vendor, tmp_path, (PIPELINE, None))


def closed(gate: CodeartsRunGate) -> Closed:
    answer = gate.check(NOW)
    assert isinstance(answer, Closed)
    return answer


def test_a_run_that_never_started_is_free(gate: CodeartsRunGate, vendor: FakePipeline) -> None:
    vendor.starts = [start(RUN, "START_FAILED", "Current pipeline is banned.")]
    answer = gate.check(NOW)
    assert isinstance(answer, Open)
    told = f"run {RUN} of pipeline {PIPELINE}: it never started (Current pipeline is banned.)"
    assert answer.facts == (told,)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELED", "IGNORED"])
def test_a_run_that_started_and_is_over_is_free(gate: CodeartsRunGate, vendor: FakePipeline, status: str) -> None:
    vendor.details[RUN] = {"id": RUN, "status": status}
    assert gate.check(NOW) == Open((f"run {RUN} of pipeline {PIPELINE}: it is {status}",))
    assert [one.method for one in vendor.requests] == ["POST", "GET"]


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED", "SUSPEND", "INIT", "QUEUED", "waiting", "verifying"])
def test_a_run_that_works_or_waits_closes(gate: CodeartsRunGate, vendor: FakePipeline, status: str) -> None:
    vendor.details[RUN] = {"id": RUN, "status": status}
    answer = closed(gate)
    assert answer.reason is Reason.RUN_IN_PROGRESS
    assert answer.message == f"CodeArts Pipeline, run {RUN} of pipeline {PIPELINE}: it is {status}."
    assert answer.retry_at == NOW + MINUTE


@pytest.mark.parametrize("status", ["RESTING", "", None, "START_SUCCESS"])
def test_a_run_of_unknown_status_closes(gate: CodeartsRunGate, vendor: FakePipeline, status: str | None) -> None:
    vendor.details[RUN] = {"id": RUN, "status": status}
    assert closed(gate).reason is Reason.RUN_UNKNOWN


@pytest.mark.parametrize("status", ["ASYNC_RUNNING", "REDISPATCH", "RUNNING"])
def test_a_run_that_is_over_with_a_job_still_working_closes(
    gate: CodeartsRunGate, vendor: FakePipeline, status: str
) -> None:
    stages = [{"name": "build", "status": "COMPLETED", "jobs": [{"name": "j", "status": status, "steps": None}]}]
    vendor.details[RUN] = {"id": RUN, "status": "COMPLETED", "stages": stages}
    answer = closed(gate)
    assert answer.reason is Reason.RUN_IN_PROGRESS
    assert f"its part j is {status}" in answer.message


@pytest.mark.parametrize("status", ["START_PENDING", "RUNNING", "COMPLETED", "", None])
def test_a_start_of_unknown_status_closes(gate: CodeartsRunGate, vendor: FakePipeline, status: str | None) -> None:
    vendor.starts = [start(RUN, status)]
    assert closed(gate).reason is Reason.RUN_UNKNOWN
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [start(OTHER_RUN, "START_FAILED")],
        [start(RUN, "START_FAILED", pipeline_id="0" * 32)],
        [start(RUN, "START_FAILED"), start(RUN, "START_SUCCESS")],
    ],
    ids=["none", "another run", "another pipeline", "two of one mind each"],
)
def test_an_answer_that_does_not_tell_of_the_run_closes(
    gate: CodeartsRunGate, vendor: FakePipeline, rows: list[dict[str, object]]
) -> None:
    vendor.starts = rows
    assert closed(gate).reason is Reason.RUN_UNKNOWN


def test_a_detail_of_another_run_breaks_the_gate(gate: CodeartsRunGate, vendor: FakePipeline) -> None:
    vendor.details[RUN] = {"id": OTHER_RUN, "status": "COMPLETED"}
    assert isinstance(gate.check(NOW), Broken)


def test_batches_are_matched_by_run_id_whatever_their_order(web: Web, vendor: FakePipeline, tmp_path: Path) -> None:
    ids = [f"{number:032d}" for number in range(BATCH + 1)]
    vendor.starts = [start(one, "START_FAILED") for one in reversed(ids)]
    answer = made(web, vendor, tmp_path, *((PIPELINE, one) for one in ids)).check(NOW)
    assert isinstance(answer, Open)
    assert len(answer.facts) == BATCH + 1
    assert len(vendor.requests) == 2


def test_one_run_of_many_closes(web: Web, vendor: FakePipeline, tmp_path: Path) -> None:
    vendor.starts = [start(OTHER_RUN, "START_SUCCESS"), start(RUN, "START_FAILED")]
    vendor.details[OTHER_RUN] = {"id": OTHER_RUN, "status": "RUNNING"}
    answer = closed(made(web, vendor, tmp_path, (PIPELINE, RUN), (PIPELINE, OTHER_RUN)))
    assert OTHER_RUN in answer.message


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELED", "IGNORED"])
def test_a_pipeline_all_of_whose_runs_are_over_is_free(
    pipeline_gate: CodeartsRunGate, vendor: FakePipeline, status: str
) -> None:
    vendor.runs = [{"pipeline_run_id": RUN, "status": status}]
    assert pipeline_gate.check(NOW) == Open((f"pipeline {PIPELINE}: run {RUN}, the newest, is {status}",))
    assert vendor.paths() == [f"POST /v5/{PROJECT}/api/pipelines/{PIPELINE}/pipeline-runs/list"] * 2


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("RUNNING", Reason.RUN_IN_PROGRESS),
        ("PAUSED", Reason.RUN_IN_PROGRESS),
        ("SUSPEND", Reason.RUN_IN_PROGRESS),
        ("RESTING", Reason.RUN_UNKNOWN),
        (None, Reason.RUN_UNKNOWN),
    ],
)
def test_one_run_of_a_pipeline_that_is_not_over_closes(
    pipeline_gate: CodeartsRunGate, vendor: FakePipeline, status: str | None, reason: Reason
) -> None:
    vendor.runs = [{"pipeline_run_id": RUN, "status": "COMPLETED"}, {"pipeline_run_id": OTHER_RUN, "status": status}]
    answer = closed(pipeline_gate)
    assert answer.reason is reason
    assert f"run {OTHER_RUN} is {status or 'without a status'}" in answer.message


def test_an_old_run_that_has_not_ended_closes_though_newer_ones_have(
    pipeline_gate: CodeartsRunGate, vendor: FakePipeline
) -> None:
    vendor.says(200, {"pipeline_runs": [{"pipeline_run_id": RUN, "status": "COMPLETED"}], "total": 1})
    vendor.says(200, {"pipeline_runs": [{"id": OTHER_RUN, "status": "PAUSED"}], "total": 1})
    assert OTHER_RUN in closed(pipeline_gate).message


def test_an_empty_list_of_runs_proves_nothing(pipeline_gate: CodeartsRunGate) -> None:
    answer = closed(pipeline_gate)
    assert answer.reason is Reason.RUN_UNKNOWN
    assert "membership" in answer.message


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, {}, Reason.SERVER_ERROR),
        (404, {}, Reason.NOT_FOUND),
        (429, "slow down", Reason.RATE_LIMITED),
        (200, "<html>", Reason.ANSWER_NOT_UNDERSTOOD),
        (200, {"error_code": "DEVPIPE.00011401", "error_msg": "no such pipeline"}, Reason.NOT_FOUND),
        (200, {"error": {"code": "DEVPIPE.00011104", "message": "limited"}}, Reason.RATE_LIMITED),
        (200, {"error": {"code": "DEVPIPE.77777777", "message": "new"}}, Reason.SERVER_ERROR),
    ],
)
def test_a_failure_that_may_pass_closes(
    gate: CodeartsRunGate, vendor: FakePipeline, status: int, body: object, reason: Reason
) -> None:
    vendor.says(status, body)
    assert closed(gate).reason is reason


def test_the_vendor_says_when_to_ask_again(gate: CodeartsRunGate, vendor: FakePipeline) -> None:
    vendor.says(429, {}, {"Retry-After": "600"})
    assert closed(gate).retry_at == NOW + timedelta(minutes=10)
    vendor.says(503, {}, {"Retry-After": "1"})
    assert closed(gate).retry_at == NOW + MINUTE


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, {}, Reason.UNAUTHORIZED),
        (403, {}, Reason.FORBIDDEN),
        (400, {}, Reason.BAD_REQUEST),
        (200, {"error_code": "DEVPIPE.00011412", "error_msg": "not a member"}, Reason.FORBIDDEN),
        (200, {"result": None}, Reason.ANSWER_NOT_UNDERSTOOD),
        (200, {"result": [{"status": "START_FAILED"}]}, Reason.ANSWER_NOT_UNDERSTOOD),
    ],
)
def test_a_failure_that_needs_a_person_breaks_the_gate(
    gate: CodeartsRunGate, vendor: FakePipeline, status: int, body: object, reason: Reason
) -> None:
    vendor.says(status, body)
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is reason


def test_a_missing_token_breaks_the_gate(web: Web, vendor: FakePipeline, tmp_path: Path) -> None:
    gate = made(web, vendor, tmp_path, (PIPELINE, RUN))
    (tmp_path / "token").unlink()
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.SECRET_MISSING


def test_a_service_that_is_not_there_closes(httpserver: HTTPServer, web: Web, tmp_path: Path) -> None:
    auth = TokenAuth(secret(tmp_path, TOKEN))
    gate = CodeartsRunGate(web, "http://127.0.0.1:9", auth, now, project_id=PROJECT, runs=[(PIPELINE, RUN)])
    assert closed(gate).reason is Reason.UNREACHABLE


def test_nothing_is_taken_and_nothing_to_give_back(gate: CodeartsRunGate) -> None:
    gate.release()
    assert gate.name == "codearts_run"
    assert gate.max_deferral == timedelta(days=14)


@pytest.mark.parametrize(
    "runs",
    [[], [("short", None)], [(PIPELINE, "")], [(PIPELINE, "../../" + "a" * 26)]],
)
def test_a_gate_that_watches_nothing_or_nonsense_is_a_mistake(web: Web, tmp_path: Path, runs: Any) -> None:
    with pytest.raises(OperatorError) as caught:
        CodeartsRunGate(web, "https://x.example", TokenAuth(secret(tmp_path, "x")), now, project_id=PROJECT, runs=runs)
    assert caught.value.reason is Reason.CONFIG_INVALID
