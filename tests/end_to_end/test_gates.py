"""A closed gate keeps a proven build waiting beside the agent that runs, and says until when."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.agent_host import stop
from support.standing_host import NEW, OLD, StandingHost
from support.static_web import static_web


def closed_window() -> str:
    """A window that opens in two hours, for one."""
    now = datetime.now(UTC)
    opens, closes = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (2, 3))
    return f'[[agents.acme.gates]]\ntype = "window"\nfrom = "{opens}"\nto = "{closes}"\n'


def test_outside_of_the_window_the_build_waits_and_force_passes(own_host: StandingHost) -> None:
    own_host.config += closed_window()
    before = own_host.running()
    said = own_host.pawld("update", "--no-wait")
    (agent,) = said.document["agents"]
    assert (said.exit, said.reason["code"], agent["state"]) == (75, "outside_window", "waiting")
    wait = datetime.fromisoformat(said.reason["retry_at"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=50) < wait <= timedelta(hours=2)
    assert any(one.startswith(f"{NEW}-") for one in agent["slots"])
    assert own_host.running() == before

    asked = len(own_host.web.asked)
    forced = own_host.pawld("update", "--force")
    assert (forced.exit, forced.reason["code"]) == (0, "updated")
    assert own_host.running().endswith(f"acme-agent {NEW}")
    assert f"GET /agent/{NEW}" not in own_host.web.asked[asked:]


def test_a_busy_host_is_not_forced_and_goes_on_once_it_is_free(own_host: StandingHost) -> None:
    lock = own_host.home / "busy.lock"
    lock.write_text("at work")
    own_host.config += f'[[agents.acme.gates]]\ntype = "busy"\nlock_file = "{lock}"\n'
    for words in (["update", "--no-wait"], ["update", "--no-wait", "--force"]):
        said = own_host.pawld(*words)
        assert (said.exit, said.reason["code"]) == (75, "host_busy")
        assert str(lock) in said.reason["message"]
        assert own_host.running().endswith(f"acme-agent {OLD}")
    lock.unlink()
    assert own_host.pawld("update").reason["code"] == "updated"


def test_a_broken_gate_is_a_closed_one(own_host: StandingHost) -> None:
    own_host.config += '[[agents.acme.gates]]\ntype = "busy"\ncommand = ["/nonexistent/are-we-free"]\n'
    said = own_host.pawld("update", "--no-wait")
    assert (said.exit, said.reason["code"]) == (75, "gate_broken")
    assert "/nonexistent/are-we-free" in said.reason["message"]
    assert own_host.running().endswith(f"acme-agent {OLD}")


@pytest.mark.parametrize("word", ["{root}", "{current}", "{version}"])
def test_the_words_of_a_gates_command_are_filled_in(own_host: StandingHost, word: str) -> None:
    told = own_host.home / "told"
    script = f'printf %s "$1" > {told}; exit 7'
    own_host.config += (
        f"[[agents.acme.gates]]\ntype = \"busy\"\ncommand = ['/bin/sh', '-c', '{script}', 'sh', '{word}']\n"
    )
    said = own_host.pawld("update", "--no-wait")
    assert (said.exit, said.reason["code"]) == (75, "host_busy")
    expected = {"{root}": str(own_host.root), "{current}": str(own_host.root / "current"), "{version}": OLD}
    assert told.read_text() == expected[word]


def test_a_first_install_waits_for_no_agent_that_is_not_there(tmp_path: Path) -> None:
    with static_web({}) as web:
        host = StandingHost(tmp_path, web)
        host.release(OLD)
        host.config += '[[agents.acme.gates]]\ntype = "busy"\ncommand = ["{current}/bin/acme-agent", "is-idle"]\n'
        try:
            assert host.pawld("update", "--no-wait").reason["code"] == "updated"
        finally:
            stop(tmp_path)
