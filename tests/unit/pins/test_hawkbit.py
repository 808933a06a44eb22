"""A campaign server that speaks DDI, and the real lifecycle behind the pin."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.hawkbit import TOKEN, FakeHawkbit
from support.hawkbit_site import MINUTE, Site
from support.vendors import secret
from support.world import START, Gatekeeper

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.model import Hold, Pinned, Platform
from pawld.pins.hawkbit import HawkbitPin, HawkbitSender, HawkbitWindow
from pawld.ports import Closed, Event
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.hawkbit import DeviceToken, TokenKind

LINUX = Platform("linux", "x86_64")


@pytest.fixture
def server(httpserver: HTTPServer) -> Iterator[FakeHawkbit]:
    with FakeHawkbit(httpserver) as server:
        yield server


@pytest.fixture
def site(web: Web, server: FakeHawkbit, tmp_path: Path) -> Site:
    return Site(tmp_path, web, server)


def test_without_a_deployment_the_host_stays_though_the_channel_has_news(site: Site) -> None:
    assert site.start() is Reason.NOT_DEPLOYED
    assert site.world.installed == "1.0.0"
    assert "source" not in site.world.acts


def test_a_deployment_is_carried_out_and_each_step_is_told(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    assert site.start() is Reason.UPDATED
    assert site.world.installed == "1.1.0"
    assert [(number, execution, finished) for number, execution, finished, _ in server.heard][-1] == (
        "7",
        "closed",
        "success",
    )
    steps = [details[0].split(":")[0] for _, execution, _, details in server.heard if execution == "proceeding"]
    assert steps == ["downloading", "verifying", "staging", "swapping", "probation"]
    assert server.heard[-1][3] == ["updated: Updated to 1.1.0, which proved itself."]


def test_what_this_host_is_is_told_when_it_is_asked_for(site: Site, server: FakeHawkbit) -> None:
    site.start()
    assert server.attributes == {
        "version": "1.0.0",
        "sw_version": "1.0.0",
        "platform": "linux-x86_64",
        "hw_boardname": "acme-box",
    }
    site.later()
    site.start()
    assert sum(path.endswith("configData") for path in server.paths()) == 1


def test_a_sick_build_is_told_as_a_failure_with_our_reason(site: Site, server: FakeHawkbit) -> None:
    site.world.sicken("1.1.0")
    server.deploy("7", "1.1.0")
    assert site.start() is Reason.ROLLED_BACK
    assert site.world.installed == "1.0.0"
    assert server.closed() == [("7", "failure")]
    assert server.heard[-1][3][0].startswith("rolled_back: Health check doctor failed")


def test_the_same_build_in_another_action_is_told_as_blocked(site: Site, server: FakeHawkbit) -> None:
    site.world.sicken("1.1.0")
    for number in ("7", "8", "9"):
        server.deploy(number, "1.1.0")
        site.start()
        site.later()
    assert server.closed() == [("7", "failure"), ("8", "failure"), ("9", "failure")]
    assert server.heard[-1][3][0].startswith("build_blocked: ")


def test_an_installed_version_closes_the_action_at_once(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.0.0")
    assert site.start() is Reason.UP_TO_DATE
    assert server.closed() == [("7", "success")]


def test_a_version_that_nobody_signed_stays_open_and_is_told(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "9.9.9")
    assert site.start() is Reason.NO_BUILD
    assert server.closed() == [("7", "failure")]
    assert site.world.installed == "1.0.0"


def test_the_servers_poll_interval_is_honoured(site: Site, server: FakeHawkbit) -> None:
    server.sleep = "02:00:00"
    site.start()
    asked = len(server.requests)
    site.later(timedelta(hours=1))
    server.deploy("7", "1.1.0")
    assert site.start() is Reason.NOT_DEPLOYED
    assert len(server.requests) == asked
    site.later(timedelta(hours=1))
    assert site.start() is Reason.UPDATED


def test_when_to_ask_again_goes_to_the_schedule(site: Site, server: FakeHawkbit) -> None:
    server.sleep = "00:00:30"
    held = HawkbitPin(site.campaign()).wanted(LINUX)
    assert isinstance(held, Hold)
    assert held.retry_at == site.world.clock.now() + timedelta(seconds=30)


@pytest.mark.parametrize("odd", [None, "", "soon", "1:2", "-1:00:00", "00:99:00"])
def test_an_odd_poll_interval_is_five_minutes(site: Site, server: FakeHawkbit, odd: object) -> None:
    server.sleep = odd
    campaign = site.campaign()
    campaign.refresh()
    assert campaign.poll_at == site.world.clock.now() + 5 * MINUTE


def test_a_closed_maintenance_window_lets_the_build_come_and_the_swap_wait(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0", maintenanceWindow="unavailable")
    assert site.start() is Reason.OUTSIDE_WINDOW
    assert "stage" in site.world.acts
    assert site.world.installed == "1.0.0"
    assert server.closed() == []
    server.deployments["7"]["maintenanceWindow"] = "available"
    assert site.start() is Reason.UPDATED
    assert server.closed() == [("7", "success")]


def test_an_update_that_is_skipped_is_downloaded_only(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0", update="skip", download="attempt")
    assert site.start() is Reason.OUTSIDE_WINDOW
    assert "fetch" in site.world.acts
    server.deployments["7"]["update"] = "forced"  # time-forced: the server's clock says when
    assert site.start() is Reason.UPDATED


def test_a_download_that_is_skipped_is_not_fetched(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0", update="skip", download="skip")
    assert site.start() is Reason.NOT_DEPLOYED
    assert "fetch" not in site.world.acts[-5:]


@pytest.mark.parametrize(
    ("update", "reason"), [("attempt", Reason.OUTSIDE_WINDOW), ("forced", Reason.UPDATED)], ids=["soft", "forced"]
)
def test_a_forced_deployment_passes_this_hosts_windows_and_a_soft_one_waits(
    site: Site, server: FakeHawkbit, update: str, reason: Reason
) -> None:
    site.world.windows.append(Gatekeeper([Closed(Reason.OUTSIDE_WINDOW, "Not in the window.")], name="window"))
    server.deploy("7", "1.1.0", update=update)
    assert site.start() is reason


def test_a_cancel_is_granted_and_the_host_stays(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0", maintenanceWindow="unavailable")
    site.start()
    server.cancel()
    site.later()
    assert site.start() is Reason.NOT_DEPLOYED
    assert server.heard[-1][:3] == ("7", "cancelled", "success")
    assert site.world.installed == "1.0.0"


def test_a_cancel_right_before_the_swap_is_seen(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    stage = site.world.act

    def act(name: str) -> None:
        stage(name)
        if name == "stage":
            server.cancel()

    site.world.act = act  # type: ignore[method-assign]  # the administrator is quick
    assert site.start() is Reason.NOT_DEPLOYED
    assert site.world.installed == "1.0.0"


def test_an_end_that_could_not_be_told_is_told_first_thing_after_a_restart(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    campaign = site.campaign()
    assert isinstance(HawkbitPin(campaign).wanted(LINUX), Pinned)
    site.world.update()  # by hand, with the channel
    for _ in range(3):
        server.says(503, {"message": "down for maintenance"})
    campaign.conclude(Reason.UPDATED, "Updated to 1.1.0, which proved itself.")
    assert server.closed() == []
    server.script.clear()
    assert site.start() is Reason.NOT_DEPLOYED
    assert server.closed() == [("7", "success")]


def test_a_process_that_died_after_its_commit_tells_the_end_at_the_next_poll(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    assert isinstance(HawkbitPin(site.campaign()).wanted(LINUX), Pinned)
    site.world.pin = None
    site.world.update()  # it dies here, and nothing was told
    site.later()
    assert site.start() is Reason.UP_TO_DATE
    assert server.closed() == [("7", "success")]


def test_feedback_to_an_action_that_is_gone_is_no_error(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    campaign = site.campaign()
    campaign.refresh()
    server.active = None
    campaign.proceed("downloading: it comes")
    campaign.conclude(Reason.UPDATED, "Updated.")
    assert server.heard == []


def test_nothing_follows_the_end_of_an_action(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    campaign = site.campaign()
    campaign.refresh()
    campaign.conclude(Reason.ROLLED_BACK, "It was sick.")
    campaign.proceed("probation: late")
    campaign.conclude(Reason.ROLLED_BACK, "It was sick.")
    assert server.closed() == [("7", "failure")]
    event = Event(START, "acme", "staging", Reason.IN_PROGRESS, "…")
    assert not HawkbitSender(campaign, "acme").wants(event)


def test_the_same_story_is_not_told_twice_while_it_goes_on(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0", maintenanceWindow="unavailable")
    for _ in range(3):
        site.start()
        site.later()
    told = [details[0] for _, execution, _, details in server.heard if execution == "proceeding"]
    assert sum(line.startswith("outside_window: ") for line in told) == 1


def test_a_version_that_came_without_an_action_is_told_once(site: Site, server: FakeHawkbit) -> None:
    site.start()
    site.later()
    site.start()
    assert server.told_installed == [("acme", "1.0.0")]
    site.world.pin = None
    site.world.gates.clear()
    site.world.update()
    site.later()
    site.start()
    assert server.told_installed == [("acme", "1.0.0"), ("acme", "1.1.0")]


def test_a_server_without_that_call_is_no_fault(site: Site, server: FakeHawkbit) -> None:
    server.knows_installed = False
    assert site.start() is Reason.NOT_DEPLOYED


def test_who_only_looks_tells_the_server_nothing_and_keeps_nothing(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "1.1.0")
    campaign = site.campaign(speaks=False)
    pinned = HawkbitPin(campaign).wanted(LINUX)
    assert isinstance(pinned, Pinned)
    assert pinned.version == "1.1.0"
    campaign.conclude(Reason.UPDATED, "Updated.")
    campaign.proceed("downloading")
    assert {path.split(" ")[0] for path in server.paths()} == {"GET"}
    assert not (site.folder / "campaign.json").exists()


def test_a_deployment_of_several_modules_is_found_by_the_products_name(site: Site, server: FakeHawkbit) -> None:
    chunks = [{"part": "os", "name": "linux", "version": "6.1"}, {"part": "bApp", "name": "acme", "version": "1.1.0"}]
    server.deploy("7", "", chunks=chunks)
    pinned = HawkbitPin(site.campaign()).wanted(LINUX)
    assert isinstance(pinned, Pinned)
    assert pinned.version == "1.1.0"


def test_a_deployment_that_does_not_say_which_module_is_refused_and_told(site: Site, server: FakeHawkbit) -> None:
    server.deploy("7", "", chunks=[{"name": "one", "version": "1"}, {"name": "two", "version": "2"}])
    with pytest.raises(OperatorError) as caught:
        site.campaign().refresh()
    assert caught.value.reason is Reason.PIN_AMBIGUOUS
    assert server.closed() == [("7", "failure")]


@pytest.mark.parametrize("place", ["https://evil.example", "https://[broken"])
def test_a_link_to_another_host_is_not_followed(site: Site, server: FakeHawkbit, place: str) -> None:
    server.link_origin = place
    with pytest.raises(RejectedError) as caught:
        site.campaign().refresh()
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_link_with_a_proxys_scheme_stays_with_the_configured_one(site: Site, server: FakeHawkbit) -> None:
    server.link_origin = server.url.replace("http:", "https:")
    server.deploy("7", "1.1.0")
    assert site.start() is Reason.UPDATED


def test_a_refused_token_needs_a_person_and_is_not_told(site: Site, server: FakeHawkbit) -> None:
    server.token = "TargetToken another"
    with pytest.raises(OperatorError) as caught:
        site.campaign().refresh()
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert TOKEN not in caught.value.message
    assert str(site.folder / "token") in caught.value.message


def test_a_gateways_token_is_named_as_one(site: Site, server: FakeHawkbit) -> None:
    server.token = f"GatewayToken {TOKEN}"
    site.token = DeviceToken(secret(site.folder, TOKEN), TokenKind.GATEWAY)
    assert site.start() is Reason.NOT_DEPLOYED


@pytest.mark.parametrize("broken", ["not json", {"_links": {"deploymentBase": {}}}, {"_links": []}, ["a list"]])
def test_a_base_document_that_is_not_understood_installs_nothing(
    site: Site, server: FakeHawkbit, broken: object
) -> None:
    server.says(200, broken)
    with pytest.raises((RejectedError, TransientError)) as caught:
        site.campaign().refresh()
    assert caught.value.reason is Reason.ANSWER_NOT_UNDERSTOOD


def test_a_server_that_is_down_stops_nothing_and_is_asked_again(site: Site, server: FakeHawkbit) -> None:
    server.says(503, {"message": "later"}, {"Retry-After": "600"})
    assert site.start() is Reason.SERVER_ERROR
    assert site.world.installed == "1.0.0"
    assert site.start() is Reason.NOT_DEPLOYED


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"action": {"id": "7"}}', b'{"poll_at": "noon"}'])
def test_a_damaged_memory_is_nothing_known(site: Site, server: FakeHawkbit, damage: bytes) -> None:
    (site.folder / "campaign.json").write_bytes(damage)
    server.deploy("7", "1.1.0")
    assert site.start() is Reason.UPDATED


def test_a_clock_that_was_set_back_does_not_keep_the_host_from_polling(site: Site, server: FakeHawkbit) -> None:
    site.start()
    site.world.clock.wall -= timedelta(days=400)
    asked = len(server.requests)
    site.campaign().refresh()
    assert len(server.requests) > asked


def broken_gate(site: Site, server: FakeHawkbit) -> Callable[[], Reason]:
    def ask() -> Reason:
        answer = HawkbitWindow(site.campaign()).check(site.world.clock.now())
        return answer.reason  # type: ignore[union-attr]  # it is not open

    return ask


def test_the_window_is_closed_while_the_server_is_down_and_broken_where_it_refuses(
    site: Site, server: FakeHawkbit
) -> None:
    ask = broken_gate(site, server)
    server.says(503, {"message": "later"})
    assert ask() is Reason.SERVER_ERROR
    server.token = "TargetToken another"
    assert ask() is Reason.UNAUTHORIZED
