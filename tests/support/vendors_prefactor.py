"""Prefactor as its documents say: agent versions and deployments."""
# ruff: noqa: ARG002 - a fake takes what every fake is given

import re

from pytest_httpserver import HTTPServer
from support.vendors import FakeVendor, answer, route
from werkzeug import Request, Response

VERSION_ID = "013xrzp12g3nqk8ns6jadrqmpgrjkeny"
DEPLOYMENT_ID = "013xrzp12g3nqk8ns6jadrqmpgrjkenz"
AGENT_ID = "013xrzp12g3nqk8ns6jadrqmpgrjkenv"


class FakePrefactor(FakeVendor):
    """``/api/v1``. An idempotency key is documented, but one on a poll could freeze the answer: no route takes it."""

    credentials = frozenset({"authorization"})
    routes = (
        route("version", "GET", r"/api/v1/agent_version/(\w+)"),
        route("deployment", "GET", r"/api/v1/agent_deployment/(\w+)"),
    )

    def __init__(self, server: HTTPServer, token: str = "prefactor-token") -> None:
        super().__init__(server)
        self.token = token
        self.version: dict[str, object] = {
            "account_id": AGENT_ID,
            "agent_id": AGENT_ID,
            "agent_schema_version_id": AGENT_ID,
            "current_agent_deployment_refs": [DEPLOYMENT_ID],
            "external_identifier": "v1.8.3",
            "external_identifier_repeats": 1,
            "id": VERSION_ID,
            "inserted_at": "2024-01-01T00:00:00Z",
            "runtime_environment": {"agent_sdk": None, "os": "linux", "prefactor_sdk": None, "runtime": "python@3.12"},
            "type": "agent_version",
            "updated_at": "2024-01-01T00:00:00Z",
        }
        self.deployment: dict[str, object] = {
            "id": DEPLOYMENT_ID,
            "type": "agent_deployment",
            "account_id": AGENT_ID,
            "agent_id": AGENT_ID,
            "environment_id": AGENT_ID,
            "current_version_id": VERSION_ID,
            "inserted_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z",
        }

    def unauthorized(self, request: Request) -> Response | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return answer(401, {"status": "error", "code": "bad_authtoken", "message": "The token is not valid"})
        return None

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        known = self.version if name == "version" else self.deployment
        if found[1] != known["id"] and not known.get("_any"):
            return answer(404, {"status": "error", "code": "not_found", "message": "Not found"})
        return answer(200, {"status": "success", "details": known})
