from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.records import build_record
from support.vendors import now, secret
from support.vendors_huawei import JOB_RUN, PIPELINE, PROJECT, RUN, TOKEN, FakePipeline

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import Location, Offer, Platform
from pawld.reasons import Reason
from pawld.sources.codearts import CodeartsSource
from pawld.system.http import Web
from pawld.vendors.huawei_auth import TokenAuth

ARM = Platform("linux", "arm64")
URL = "https://obs.example.com/agent.tar.gz?signature=se3ret"
NAMES = {"x86_64": "x86_64", "arm64": "aarch64"}


@pytest.fixture
def vendor(httpserver: HTTPServer) -> Iterator[FakePipeline]:
    with FakePipeline(httpserver) as vendor:
        yield vendor


def made(web: Web, vendor: FakePipeline, folder: Path, **changes: Any) -> CodeartsSource:
    ids = {"project_id": PROJECT, "pipeline_id": PIPELINE, "pipeline_run_id": RUN, "job_run_id": JOB_RUN}
    return CodeartsSource(web, vendor.url, TokenAuth(secret(folder, TOKEN)), now, **(ids | changes))


@pytest.fixture
def source(web: Web, vendor: FakePipeline, tmp_path: Path) -> CodeartsSource:
    return made(web, vendor, tmp_path, arch_names=NAMES)


def fails(source: CodeartsSource) -> PawldError:
    with pytest.raises(PawldError) as caught:
        source.locate(build_record())
    return caught.value


def test_the_address_is_asked_for_by_version_and_cpu_and_fetched_without_credentials(
    source: CodeartsSource, vendor: FakePipeline
) -> None:
    assert source.locate(build_record(platform=ARM)) == [Location(URL, {}, ())]
    assert dict(vendor.requests[0].args) == {"arch": "aarch64", "version": "1.8.3"}
    assert vendor.requests[0].headers["X-Auth-Token"] == TOKEN


def test_without_a_table_a_cpu_has_its_own_name(web: Web, vendor: FakePipeline, tmp_path: Path) -> None:
    made(web, vendor, tmp_path).locate(build_record(platform=ARM))
    assert vendor.requests[0].args["arch"] == "arm64"


def test_a_cpu_that_the_table_does_not_name_keeps_its_own(source: CodeartsSource, vendor: FakePipeline) -> None:
    source.locate(build_record(platform=Platform("linux", "riscv64")))
    assert vendor.requests[0].args["arch"] == "riscv64"


@pytest.mark.parametrize("version", [None, "1.8.3"])
def test_it_knows_no_versions_and_asks_nobody(
    source: CodeartsSource, vendor: FakePipeline, version: str | None
) -> None:
    assert source.describe("stable", ARM, version) == Offer(version)
    assert not vendor.requests


@pytest.mark.parametrize("status", ["success", "SUCCESS", None])
def test_success_is_the_only_status_that_counts(source: CodeartsSource, vendor: FakePipeline, status: object) -> None:
    vendor.address = {"status": status, "result": {"url": URL}}
    assert len(source.locate(build_record())) == 1


@pytest.mark.parametrize("status", ["failed", "pending", "a status of the future"])
def test_another_status_is_a_failure_though_an_address_came(
    source: CodeartsSource, vendor: FakePipeline, status: str
) -> None:
    vendor.address = {"status": status, "result": URL}
    error = fails(source)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.SERVER_ERROR


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"status": "success"}, "its result is nothing"),
        ({"status": "success", "result": {"token": "se3ret"}}, "an object with the names token"),
        ({"status": "success", "result": [URL, URL]}, "a list of 2"),
    ],
)
def test_no_address_is_an_outcome_with_a_reason(
    source: CodeartsSource, vendor: FakePipeline, answer: object, found: str
) -> None:
    vendor.address = answer
    error = fails(source)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.NO_ADDRESS
    assert found in error.message
    assert "se3ret" not in error.message


def test_an_error_inside_http_200_is_one(source: CodeartsSource, vendor: FakePipeline) -> None:
    vendor.address = {"error": {"code": "DEVPIPE.00011412", "message": "not a member"}, "result": URL}
    assert fails(source).reason is Reason.FORBIDDEN


@pytest.mark.parametrize("facts", [{"sha256": "1e" * 32}, {"size": 7}])
def test_facts_that_differ_from_the_record_stop_the_update(
    source: CodeartsSource, vendor: FakePipeline, facts: dict[str, object]
) -> None:
    vendor.address = {"status": "success", "result": {"url": URL, **facts}}
    error = fails(source)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.SOURCE_DISAGREES


def test_a_size_is_not_compared_where_nobody_signed_one(source: CodeartsSource, vendor: FakePipeline) -> None:
    vendor.address = {"status": "success", "result": {"url": URL, "size": 7}}
    assert source.locate(build_record(length_signed=False))


@pytest.mark.parametrize("url", ["http://obs.example.com/a", "https://user:word@obs.example.com/a"])
def test_an_address_that_nothing_is_fetched_from_is_refused(
    source: CodeartsSource, vendor: FakePipeline, url: str
) -> None:
    vendor.address = {"status": "success", "result": url}
    assert fails(source).reason is Reason.REDIRECT_REFUSED


def test_an_address_off_the_list_of_hosts_is_refused(web: Web, vendor: FakePipeline, tmp_path: Path) -> None:
    assert fails(made(web, vendor, tmp_path, final_hosts=["obs.other.com"])).reason is Reason.REDIRECT_REFUSED
    assert made(web, vendor, tmp_path, final_hosts=["obs.example.com"]).locate(build_record())


@pytest.mark.parametrize("name", ["project_id", "pipeline_id", "pipeline_run_id", "job_run_id"])
@pytest.mark.parametrize("value", ["", "a" * 31, "a" * 33, "../" + "a" * 29])
def test_ids_are_checked_before_they_are_sent(
    web: Web, vendor: FakePipeline, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(OperatorError, match=name) as caught:
        made(web, vendor, tmp_path, **{name: value})
    assert caught.value.reason is Reason.CONFIG_INVALID
