"""Huawei's services as their documents say: CodeArts Pipeline, CodeArts Check, IAM."""
# ruff: noqa: ARG002 - a fake takes what every fake is given

import re
from datetime import UTC, datetime, timedelta

from pytest_httpserver import HTTPServer
from support.vendors import FakeVendor, answer, route
from werkzeug import Request, Response

from pawld.vendors.huawei_signature import Keys, signed_headers

PROJECT = "db8d07265e24426598b3eb03a7818972"
PIPELINE = "6ba9a2dbc7024c22a9a6614516dc22db"
RUN = "e41fe3981361476eb6dad17ad98c683c"
OTHER_RUN = "f52ab4092472587fc7ebe28be09d794d"
JOB_RUN = "0123456789abcdef0123456789abcdef"
TASK = "11223344556677889900aabbccddeeff"
POOL = "ab2ec0ec4beb99b91629d380ab2ec0ec"
TOKEN = "MIIhuaweitoken"
KEYS = Keys("AKEXAMPLE0000000000", "SKexample/0000000000000000000000000000000")

_SIGNED = frozenset({"authorization", "x-auth-token", "x-security-token", "x-sdk-date"})
_V5 = rf"/v5/{PROJECT}"
_LIST = ("status", "start_time", "end_time", "offset", "limit", "sort_key", "sort_dir", "show_job_details")


class _FakeHuawei(FakeVendor):
    credentials = _SIGNED

    def __init__(self, server: HTTPServer, token: str = TOKEN) -> None:
        super().__init__(server)
        self.token = token

    def unauthorized(self, request: Request) -> Response | None:
        if request.headers.get("X-Auth-Token") == self.token or self._signed(request):
            return None
        return answer(401, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"})

    def _signed(self, request: Request) -> bool:
        """Sign what came over the wire once more, and compare."""
        given = request.headers.get("Authorization", "")
        names = re.search(r"SignedHeaders=([a-z0-9;-]+),", given)
        if not names:
            return False
        skipped = ("host", "x-sdk-date", "x-security-token")
        covered = {one: request.headers[one] for one in names[1].split(";") if one not in skipped}
        now = datetime.strptime(request.headers["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        keys = Keys(KEYS.access, KEYS.secret, request.headers.get("X-Security-Token"))
        signed = signed_headers(keys, request.method, request.url, covered, request.get_data(), now)
        return signed["Authorization"] == given


class FakePipeline(_FakeHuawei):
    """CodeArts Pipeline, version 5: the reads that an updater may make. Starting runs is no route, so it fails."""

    routes = (
        route(
            "address",
            "GET",
            rf"{_V5}/pipelines/(\w{{32}})/(\w{{32}})/(\w{{32}})/agent-runs/agent/download",
            required=["arch", "version"],
        ),
        route("starts", "POST", rf"{_V5}/api/pipelines/batch-runs/result"),
        route(
            "detail",
            "GET",
            rf"{_V5}/api/pipelines/(\w{{32}})/pipeline-runs/detail",
            ["pipeline_run_id", "pipeline_run_number"],
        ),
        route("list", "POST", rf"{_V5}/api/pipelines/(\w{{32}})/pipeline-runs/list"),
    )

    def __init__(self, server: HTTPServer, token: str = TOKEN) -> None:
        super().__init__(server, token)
        self.address: object = {"status": "success", "result": "https://obs.example.com/agent.tar.gz?signature=se3ret"}
        self.starts: list[dict[str, object]] = [start(RUN, "START_SUCCESS")]
        self.details: dict[str, dict[str, object]] = {RUN: {"id": RUN, "status": "COMPLETED", "stages": []}}
        self.runs: list[dict[str, object]] = []

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        if name == "address":
            return answer(200, self.address)
        if name == "starts":
            asked = self.body(request, ["query"])["query"]
            if any(set(one) != {"pipeline_id", "pipeline_run_id"} for one in asked):
                self.violations.append(f"the query is not as documented: {asked}")
            return answer(200, {"result": self.starts})
        if name == "detail":
            return answer(200, self.details[request.args["pipeline_run_id"]])
        return self._list(request)

    def _list(self, request: Request) -> Response:
        query = self.body(request, _LIST)
        if query.get("sort_key") not in (None, "start_time", "update_time"):
            self.violations.append(f"undocumented sort_key {query['sort_key']}")
        wanted = query.get("status")
        runs = [one for one in self.runs if wanted is None or one["status"] in wanted]
        return answer(200, {"offset": 0, "limit": query["limit"], "total": len(runs), "pipeline_runs": runs})


def start(run_id: str, status: object, reason: str | None = None, pipeline_id: str = PIPELINE) -> dict[str, object]:
    """A row of ``batch-runs/result``."""
    return {
        "pipeline_id": pipeline_id,
        "pipeline_name": "Pipeline 1",
        "pipeline_run_id": run_id,
        "status": status,
        "reason": reason,
    }


class FakeCheck(_FakeHuawei):
    """CodeArts Check: the pools of one task."""

    routes = (route("pools", "GET", rf"/v1/tasks/{TASK}/resource-pool", ["page", "page_size", "search"]),)

    def __init__(self, server: HTTPServer, token: str = TOKEN) -> None:
        super().__init__(server, token)
        self.http_status: object = "OK"
        self.status: object = "success"
        self.selected: object = POOL
        self.total: object = None
        self.pools: list[dict[str, object]] = [
            {"id": POOL, "isSelected": True, "name": "new_engine_4u8g", "type": "DOCKER"},
            {"id": "11223344000000001122334400000001", "isSelected": False, "name": "Win7Custom", "type": "WINDOWS_VM"},
        ]

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        page, size = int(request.args.get("page", "1")), int(request.args.get("page_size", "50"))
        if page < 1 or not 1 <= size <= 50:
            return answer(400, {"error_code": "CC.00000001.400", "error_msg": "Verify request parameter failed."})
        if request.headers.get("X-Language") not in (None, "zh-cn", "en-us"):
            self.violations.append("undocumented language")
        result = {
            "resourcePoolId": self.selected,
            "resourcePoolName": "new_engine_4u8g",
            "resourcePools": self.pools[(page - 1) * size : page * size],
            "resourceType": "custom",
            "resource_pool_type": "default",
            "total": len(self.pools) if self.total is None else self.total,
        }
        return answer(200, {"httpStatus": self.http_status, "result": result, "status": self.status})


class FakeIam(FakeVendor):
    """IAM's ``POST /v3/auth/tokens`` for a password; it counts the logins."""

    routes = (route("tokens", "POST", "/v3/auth/tokens"),)

    def __init__(self, server: HTTPServer, password: str = "correct horse") -> None:
        super().__init__(server)
        self.password = password
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.lifetime: timedelta | None = timedelta(hours=24)
        self.logins = 0
        self.token: str | None = None

    def unauthorized(self, request: Request) -> Response | None:
        value = self.body(request, ["auth"])["auth"]
        if value["identity"]["methods"] != ["password"] or set(value["scope"]) - {"project", "domain"}:
            self.violations.append("the login is not as documented")
        user = value["identity"]["password"]["user"]
        if (user["name"], user["domain"]["name"], user["password"]) == ("alice", "acme", self.password):
            return None
        return answer(401, {"error": {"code": 401, "message": f"wrong password {user['password']}", "title": "x"}})

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        self.logins += 1
        token: dict[str, object] = {"methods": ["password"]}
        if self.lifetime:
            stamp = "%Y-%m-%dT%H:%M:%S.000000Z"
            token |= {
                "issued_at": self.now.strftime(stamp),
                "expires_at": (self.now + self.lifetime).strftime(stamp),
            }
        text = f"token-{self.logins}" if self.token is None else self.token
        return answer(201, {"token": token}, {"X-Subject-Token": text} if text else None)
