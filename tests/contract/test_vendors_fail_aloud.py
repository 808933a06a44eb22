"""The vendors of these suites must notice what no document knows; here they are made to."""

import pytest
from pytest_httpserver import HTTPServer
from support.vendors import FakeScalepad, FakeStatic, FakeVendor
from support.vendors_huawei import PIPELINE, PROJECT, TOKEN, FakePipeline

from pawld.system.http import Web

AUTH = {"Authorization": "Bearer scalepad-token"}
RUNS = f"/v5/{PROJECT}/api/pipelines/{PIPELINE}/pipeline-runs/list"


def provoke(vendor: FakeVendor, web: Web, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    with vendor:
        web.call(method, vendor.url + path, headers=headers, body=body or None)


@pytest.mark.parametrize(
    ("method", "path", "headers", "noticed"),
    [
        ("GET", "/v2/agent-releases/latest?platform=windows", AUTH, "undocumented parameters"),
        ("POST", "/v2/agent-releases/latest", AUTH, "undocumented call"),
        ("HEAD", "/v2/agent-releases/1.8.3/download?platform=windows", AUTH, "undocumented call"),
        ("GET", "/v2/v2/agent-releases/latest", AUTH, "undocumented call"),
        ("GET", "/v2/agent-releases/1.8.3/download", AUTH, "missing parameters"),
        ("GET", "/v2/agent-releases/latest", AUTH | {"X-Api-Key": "k"}, "foreign credentials"),
        ("GET", "/v2/agent-releases/latest", AUTH | {"X-Auth-Token": "k"}, "foreign credentials"),
    ],
)
def test_scalepad_notices(
    web: Web, httpserver: HTTPServer, method: str, path: str, headers: dict[str, str], noticed: str
) -> None:
    with pytest.raises(AssertionError, match=noticed):
        provoke(FakeScalepad(httpserver), web, method, path, headers, b"")


@pytest.mark.parametrize("header", ["Authorization", "X-Auth-Token", "X-Sdk-Date", "Cookie"])
def test_a_static_host_notices_any_credential(web: Web, httpserver: HTTPServer, header: str) -> None:
    with pytest.raises(AssertionError, match="foreign credentials"):
        provoke(FakeStatic(httpserver), web, "GET", "/file", {header: "x"}, b"")


@pytest.mark.parametrize(
    ("method", "path", "body", "noticed"),
    [
        ("POST", f"/v5/{PROJECT}/api/pipelines/batch-runs", b'{"pipeline_ids":[]}', "undocumented call"),
        ("POST", RUNS, b'{"limit":1,"page":1}', "undocumented fields"),
        ("POST", RUNS, b'{"limit":1,"sort_key":"name"}', "undocumented sort_key"),
        ("POST", f"/v5/{PROJECT}/api/pipelines/batch-runs/result", b'{"query":[{"id":"x"}]}', "not as documented"),
    ],
    ids=["starting runs", "a field", "a key to sort by", "a query"],
)
def test_codearts_notices(web: Web, httpserver: HTTPServer, method: str, path: str, body: bytes, noticed: str) -> None:
    headers = {"X-Auth-Token": TOKEN, "Content-Type": "application/json"}
    with pytest.raises(AssertionError, match=noticed):
        provoke(FakePipeline(httpserver), web, method, path, headers, body)
