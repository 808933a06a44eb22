"""A fleet is told of each outcome, by whole hosts: with the receiver down, then up, and with a kill in the middle."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support.fleet_host import NOWHERE, FleetHost, code, publisher_at
from support.publishing import take_in
from werkzeug import Request, Response

from pawld.publish.publisher import Publisher

NOBODY = "http://127.0.0.1:1"
Site = tuple[Publisher, str]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with publisher_at(tmp_path / "publisher") as (publisher, url):
        take_in(publisher, "1.0.0")
        yield publisher, url


def reporting(folder: Path, site: Site, receiver: str) -> FleetHost:
    publisher, url = site
    return FleetHost(folder, publisher, url, agent=f'[report]\nwebhook_url = "{receiver}/hook"')


def rested(host: FleetHost, to: str = "webhook") -> None:
    """Let the rest after a failure be over."""
    state = host.folder / "state" / "spool" / to / "state"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"retry_at": "2026-01-01T00:00:00+00:00"}))


def spooled(host: FleetHost, to: str = "webhook") -> list[Path]:
    return sorted((host.folder / "state" / "spool" / to).glob("*.json"))


def posted(server: HTTPServer) -> list[dict[str, Any]]:
    return [json.loads(request.data) for request, _ in server.log]


def test_outcomes_wait_for_a_webhook_that_is_down_and_come_in_order(
    site: Site, tmp_path: Path, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", "POST").respond_with_data("")
    host = reporting(tmp_path / "host", site, NOBODY)
    assert code(host.update()) == "updated"
    assert code(host.update()) == "up_to_date"
    assert len(spooled(host)) == 2
    host.config.write_text(host.config.read_text().replace(NOBODY, httpserver.url_for("").rstrip("/")))
    take_in(site[0], "1.1.0")
    rested(host)
    assert code(host.update()) == "updated"
    told = posted(httpserver)
    assert [one["reason"]["code"] for one in told] == ["updated", "up_to_date", "updated"]
    first, _, last = told
    assert (first["from_version"], first["version"], first["installed"]) == (None, "1.0.0", "1.0.0")
    assert (last["from_version"], last["version"], last["installed"]) == ("1.0.0", "1.1.0", "1.1.0")
    assert (last["host"], last["agent"], last["platform"], last["channel"]) == (
        "host-1",
        "acme",
        "linux-x86_64",
        "stable",
    )
    assert 0 <= last["cohort"] < 1
    assert spooled(host) == []


def test_a_spool_that_cannot_be_made_stops_no_update(site: Site, tmp_path: Path) -> None:
    host = reporting(tmp_path / "host", site, NOBODY)
    (tmp_path / "host/state").mkdir(mode=0o700)
    (tmp_path / "host/state/spool").write_text("no directory")
    assert code(host.update()) == "updated"
    assert host.installed == "1.0.0"


def test_a_kill_while_a_report_is_on_its_way_loses_nothing(site: Site, tmp_path: Path, httpserver: HTTPServer) -> None:
    arrived, gate = threading.Event(), threading.Event()

    def dawdle(_request: Request) -> Response:
        arrived.set()
        gate.wait(30)
        return Response("")

    httpserver.expect_request("/hook", "POST").respond_with_handler(dawdle)
    host = reporting(tmp_path / "host", site, httpserver.url_for("").rstrip("/"))
    command = [sys.executable, "-P", "-m", "pawld", "--config", str(host.config), "update", "--no-wait", "--direct"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert arrived.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    gate.set()
    assert len(spooled(host)) == 1
    host.config.write_text(host.config.read_text().replace(site[1], NOWHERE))  # no new outcome but that of the network
    host.update()
    told = posted(httpserver)
    assert [one["reason"]["code"] for one in told[:2]] == ["updated", "updated"]
    assert told[0]["id"] == told[1]["id"], "the receiver can drop the twin"
    assert spooled(host) == []
