"""A DDI server written from the protocol: it offers by links, takes documented feedback, and notes everything else."""

import re
from typing import Any

from pytest_httpserver import HTTPServer
from support.vendors import FakeVendor, answer, route
from werkzeug import Request, Response

BASE = "/DEFAULT/controller/v1/host-1"
TOKEN = "target-token"
EXECUTIONS = {"closed", "proceeding", "canceled", "scheduled", "rejected", "resumed", "downloaded", "download"}


class FakeHawkbit(FakeVendor):
    """One tenant with one target; ``deploy`` and ``cancel`` are what its administrator does."""

    credentials = frozenset({"authorization"})
    routes = (
        route("poll", "GET", BASE),
        route("config", "PUT", f"{BASE}/configData"),
        route("deployment", "GET", f"{BASE}/deploymentBase/([^/]+)", required=["c"]),
        route("feedback", "POST", f"{BASE}/deploymentBase/([^/]+)/feedback"),
        route("consent", "GET", f"{BASE}/confirmationBase"),
        route("confirmation", "GET", f"{BASE}/confirmationBase/([^/]+)", required=["c"]),
        route("cancel", "GET", f"{BASE}/cancelAction/([^/]+)"),
        route("cancelled", "POST", f"{BASE}/cancelAction/([^/]+)/feedback"),
        route("installed", "PUT", f"{BASE}/installedBase"),
    )

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.token = f"TargetToken {TOKEN}"
        self.sleep: Any = "00:05:00"
        self.wants_attributes = True
        self.attributes: dict[str, str] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.active: str | None = None
        self.cancelling: str | None = None
        self.unconfirmed: str | None = None
        self.asks_consent = False
        self.heard: list[tuple[str, str, str, list[str]]] = []
        self.told_installed: list[tuple[str, str]] = []
        self.knows_installed = True
        self.link_origin = self.url

    def deploy(self, number: str, version: str, **changes: Any) -> None:
        """Assign a distribution set with one module of that version."""
        deployment = {
            "download": "forced",
            "update": "forced",
            "chunks": [
                {
                    "part": "bApp",
                    "name": "acme",
                    "version": version,
                    "metadata": [{"key": "k", "value": "v"}],
                    "artifacts": [
                        {
                            "filename": "acme.tar.gz",
                            "size": 13,
                            "hashes": {"sha1": "0" * 40},
                            "_links": {"download": {"href": "https://evil.example/bytes"}},
                        }
                    ],
                }
            ],
        }
        self.deployments[number] = deployment | changes
        self.active = number

    def confirm(self) -> None:
        """Confirm what waits, as a person does at the server."""
        self.active, self.unconfirmed = self.unconfirmed, None

    def deploy_unconfirmed(self, number: str, version: str, **changes: Any) -> None:
        """Assign it in a tenant that asks for consent."""
        self.deploy(number, version, **changes)
        self.active, self.unconfirmed = None, number

    def cancel(self) -> None:
        """Ask the device to leave the active action."""
        self.cancelling = self.active

    def closed(self) -> list[tuple[str, str]]:
        """Return number and end of each action that was closed."""
        return [(number, finished) for number, execution, finished, _ in self.heard if execution == "closed"]

    def unauthorized(self, request: Request) -> Response | None:
        if request.headers.get("Authorization") == self.token:
            return None
        return answer(401, {"message": "The token does not match."})

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        if request.method == "GET":
            return self._document(name, found)
        body = self.body(
            request, {"config": ["mode", "data"], "installed": ["name", "version"]}.get(name, ["status", "timestamp"])
        )
        if name == "config":
            assert body["mode"] in ("merge", "replace", "remove")
            self.attributes, self.wants_attributes = body["data"], False
            return Response(status=200)
        if name == "installed":
            self.told_installed.append((body["name"], body["version"]))
            return Response(status=200 if self.knows_installed else 404)
        return self._feedback(name, found[1], body)

    def _document(self, name: str, found: re.Match[str]) -> Response:
        if name == "poll":
            return answer(200, self._base())
        if name == "cancel":
            return answer(200, {"id": f"1{found[1]}", "cancelAction": {"stopId": found[1]}})
        if name == "consent":
            return answer(200, {"autoConfirm": {"active": False}, "_links": {}})
        if name == "confirmation":
            return self._confirmation(found[1])
        if found[1] != self.active:
            return answer(404, {"message": "no such action"})
        return answer(200, {"id": found[1], "deployment": self.deployments[found[1]], "actionHistory": {}})

    def _confirmation(self, number: str) -> Response:
        if number != self.unconfirmed:
            return answer(404, {"message": "no such action"})
        history = {"status": "WAIT_FOR_CONFIRMATION", "messages": ["Waiting for the confirmation by the device"]}
        return answer(200, {"id": number, "confirmation": self.deployments[number], "actionHistory": history})

    def _base(self) -> dict[str, Any]:
        links = {}
        place = f"{self.link_origin}{BASE}"
        if self.wants_attributes:
            links["configData"] = {"href": f"{place}/configData"}
        if self.cancelling is not None:
            links["cancelAction"] = {"href": f"{place}/cancelAction/{self.cancelling}"}
        elif self.active is not None:
            links["deploymentBase"] = {"href": f"{place}/deploymentBase/{self.active}?c=-2127183556"}
        if self.unconfirmed is not None:
            links["confirmationBase"] = {"href": f"{place}/confirmationBase/{self.unconfirmed}?c=-2127183556"}
        elif self.asks_consent:
            links["confirmationBase"] = {"href": f"{place}/confirmationBase"}
        return {"config": {"polling": {"sleep": self.sleep}}, "_links": links}

    def _feedback(self, name: str, number: str, body: dict[str, Any]) -> Response:
        status = body["status"]
        if status["execution"] not in EXECUTIONS or status["result"]["finished"] not in ("success", "failure", "none"):
            self.violations.append(f"not a status: {status}")
        if not isinstance(body["timestamp"], int) or not isinstance(status["code"], int):
            self.violations.append(f"not a number: {body}")
        if name == "cancelled":
            self.heard.append((number, "cancelled", status["result"]["finished"], status["details"]))
            self.active = self.cancelling = None
            return Response(status=200)
        if number != self.active:
            return answer(410, {"message": "the action is not active any more"})
        self.heard.append((number, status["execution"], status["result"]["finished"], status["details"]))
        if status["execution"] == "closed":
            self.active = None
        return Response(status=200)
