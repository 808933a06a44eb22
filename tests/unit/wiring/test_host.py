"""Opening the host: one updater at a time, readers beside it."""

from pathlib import Path

import pytest
from support.configuration import loaded
from support.raw_server import raw_server

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.settings import Settings
from pawld.wiring.host import opened_for_change, opened_for_reading

CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.acme]
root = "{home}/opt"
[agents.acme.source]
type = "scalepad"
base_url = "https://api.example.com/v2"
[agents.acme.trust]
type = "pinned_sha256"
sha256 = {{ "linux-x86_64" = "{digest}" }}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return loaded(tmp_path, CONFIG.format(home=tmp_path, digest="0f" * 32))


def test_a_second_updater_is_refused_until_the_first_has_ended(settings: Settings) -> None:
    with opened_for_change(settings), pytest.raises(TransientError) as raised, opened_for_change(settings):
        pytest.fail("two updaters at once")
    assert raised.value.reason is Reason.UPDATER_BUSY
    assert raised.value.message == f"Another pawld is at work in {settings.updater.state_dir}."
    with opened_for_change(settings) as host:
        assert host.chosen([]) == ["acme"]


def test_a_reader_may_look_beside_an_updater(settings: Settings) -> None:
    with opened_for_change(settings), opened_for_reading(settings) as host:
        assert host.describe("acme")["installed"] is None


def test_an_unknown_agent_is_told_beside_those_there_are(settings: Settings) -> None:
    with opened_for_change(settings) as host:
        for ask in (lambda: host.agent("nobody"), lambda: host.chosen(["nobody"]), lambda: host.describe("nobody")):
            with pytest.raises(OperatorError, match="there is acme") as raised:
                ask()
            assert raised.value.reason is Reason.USAGE


def test_a_state_directory_that_cannot_be_made_is_the_hosts_fault(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory is wanted")
    with pytest.raises(TransientError) as raised, opened_for_change(settings):
        pytest.fail("opened")
    assert raised.value.reason is Reason.IO_FAILED
    assert str(tmp_path / "state") in raised.value.message


def test_a_proxy_near_this_host_has_one_client_that_is_closed_with_the_host(settings: Settings) -> None:
    with raw_server(lambda _, wire: wire.answer(403)) as proxy, opened_for_change(settings) as host:
        around = host._around("acme")
        web = around.open_through(proxy.url)
        assert around.open_through(proxy.url) is web is not host.web
        with pytest.raises(TransientError, match="The proxy did not let"):
            web.call("GET", "https://cdn.example/targets/acme")
        assert proxy.targets == ["cdn.example:443"]
