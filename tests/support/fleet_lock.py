"""A FleetLock server written from the protocol, with the odd answers that a real airlock was seen to give."""

import json
import re

from pytest_httpserver import HTTPServer
from support.vendors import FakeVendor, route
from werkzeug import Request, Response

GROUPS = {"default", "canary"}


class FakeAirlock(FakeVendor):
    """One semaphore a group; whoever asks wrongly is answered as airlock does, and noted as a violation."""

    routes = (route("lock", "POST", "/v1/pre-reboot"), route("unlock", "POST", "/v1/steady-state"))

    def __init__(self, server: HTTPServer, slots: int = 1) -> None:
        super().__init__(server)
        self.slots = slots
        self.holders: dict[str, list[str]] = {group: [] for group in GROUPS}
        self.unlocked: list[str] = []

    def unauthorized(self, request: Request) -> Response | None:
        """The protocol's own header is asked for before anything else."""
        if request.headers.get("fleet-lock-protocol") == "true":
            return None
        self.violations.append("there is no fleet-lock-protocol header")
        return refusal(400, "invalid_client_identity", "unable to validate client identity")

    def respond(self, name: str, found: re.Match[str], request: Request) -> Response:
        del found
        document = json.loads(request.get_data())
        if set(document) != {"client_params"} or set(document["client_params"]) != {"id", "group"}:
            self.violations.append(f"not a FleetLock body: {document}")
        host, group = document["client_params"]["id"], document["client_params"]["group"]
        if group not in self.holders:
            return refusal(400, "unknown_group", f"unknown group {group}")
        holders = self.holders[group]
        if name == "unlock":
            self.unlocked.append(host)
            self.holders[group] = [one for one in holders if one != host]
        elif host not in holders and len(holders) >= self.slots:
            return refusal(500, "failed_lock", f"all {self.slots} semaphore slots currently locked")
        elif host not in holders:
            holders.append(host)
        return Response(status=200)


def refusal(status: int, kind: str, value: str) -> Response:
    """airlock sends its JSON as text."""
    return Response(json.dumps({"kind": kind, "value": value}), status, content_type="text/plain; charset=utf-8")
