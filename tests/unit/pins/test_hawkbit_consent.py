"""A deployment that waits for a person's consent at the campaign server (DDI's confirmationBase)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.hawkbit import FakeHawkbit
from support.hawkbit_site import MINUTE, Site
from support.vendors import answer

from pawld.reasons import Reason
from pawld.system.http import Web


@pytest.fixture
def server(httpserver: HTTPServer) -> Iterator[FakeHawkbit]:
    with FakeHawkbit(httpserver) as server:
        yield server


@pytest.fixture
def site(web: Web, server: FakeHawkbit, tmp_path: Path) -> Site:
    return Site(tmp_path, web, server)


def test_a_deployment_that_a_person_must_confirm_is_told_as_waiting_and_not_begun(
    site: Site, server: FakeHawkbit
) -> None:
    server.deploy_unconfirmed("7", "1.1.0")
    outcome = site.outcome()
    assert outcome.reason is Reason.NOT_CONFIRMED
    assert "hawkBit deployment 7 (acme 1.1.0) waits for a person to confirm it at the server" in outcome.message
    assert "source" not in site.world.acts, "nothing is looked for, and nothing fetched"
    site.later(MINUTE)
    assert site.start() is Reason.NOT_CONFIRMED, "known between two polls as well"
    assert server.heard == []
    assert not any("confirmationBase" in path and path.endswith("feedback") for path in server.paths())
    server.confirm()
    site.later()
    assert site.start() is Reason.UPDATED
    assert server.closed() == [("7", "success")]


def test_a_server_that_asks_for_consent_and_has_nothing_to_confirm_deploys_nothing(
    site: Site, server: FakeHawkbit
) -> None:
    server.asks_consent = True
    assert site.start() is Reason.NOT_DEPLOYED
    server.deploy("7", "1.1.0")
    site.later()
    assert site.start() is Reason.UPDATED


def test_a_deployment_that_was_taken_back_while_it_waited_waits_no_more(site: Site, server: FakeHawkbit) -> None:
    server.deploy_unconfirmed("7", "1.1.0")
    site.start()
    server.unconfirmed = None
    site.later()
    assert site.start() is Reason.NOT_DEPLOYED


def test_a_confirmation_that_is_gone_when_it_is_read_is_none(site: Site, server: FakeHawkbit) -> None:
    server.unconfirmed = "7"  # linked, and answered with 404 below
    server._confirmation = lambda _number: answer(404, {"message": "gone"})  # type: ignore[method-assign]  # a race
    assert site.start() is Reason.NOT_DEPLOYED
