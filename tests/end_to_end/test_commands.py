"""Every command on a host where an agent runs: its exit code, its document, and what a person reads."""

from typing import Any

import pytest
from support.standing_host import NEW, OLD, StandingHost

STATUS = {
    "name",
    "platform",
    "channel",
    "installed",
    "wanted",
    "state",
    "reason",
    "last_check",
    "last_good_refresh",
    "blocked",
    "slots",
}


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["check"], 100, "update_available"),
        (["status"], 0, "updated"),
        (["recover"], 0, "recovered"),
        (["rollback"], 75, "no_previous_slot"),
        (["block", NEW], 0, "operator_block"),
        (["unblock", NEW], 2, "usage"),
        (["check", "acme"], 100, "update_available"),
    ],
)
def test_a_command_ends_with_the_code_of_its_reason(host: StandingHost, words: Any, code: int, reason: str) -> None:
    said = host.pawld(*words)
    assert (said.exit, said.reason["code"]) == (code, reason)
    assert said.errors == ""


@pytest.mark.parametrize(
    "words",
    [["check"], ["update"], ["status"], ["rollback"], ["block", "1.0"], ["unblock", "1.0"], ["history"], ["recover"]],
    ids=lambda words: words[0],
)
def test_an_unknown_agent_is_told_beside_those_there_are(host: StandingHost, words: list[str]) -> None:
    said = host.pawld(*words, "nobody")
    assert (said.exit, said.reason["code"]) == (2, "usage")
    assert said.reason["message"] == "There is no agent 'nobody' in the configuration; there is acme."


def test_the_status_has_the_fields_that_other_programs_rely_on(host: StandingHost) -> None:
    host.pawld("check")
    host.pawld("block", NEW)
    (agent,) = host.pawld("status").document["agents"]
    assert agent.keys() >= STATUS
    assert agent["installed"].keys() == {"version", "sha256", "since"}
    assert agent["wanted"].keys() == {"version", "sha256", "sequence"}
    assert agent["reason"].keys() == {"code", "message", "next_step", "retry_at"}
    assert [one.keys() for one in agent["blocked"]] == [{"version", "sha256", "cause", "until"}]
    assert (agent["name"], agent["platform"], agent["channel"]) == ("acme", "linux-x86_64", "stable")
    assert (agent["installed"]["version"], agent["wanted"]["version"], agent["state"]) == (OLD, NEW, "idle")
    assert agent["slots"] == [f"{OLD}-{agent['installed']['sha256'][:12]}"]


def test_every_command_answers_with_the_agents_status(host: StandingHost) -> None:
    for words in (["check"], ["recover"], ["block", "7.7.7"], ["unblock", "7.7.7"], ["rollback"]):
        (agent,) = host.pawld(*words).document["agents"]
        assert agent.keys() >= STATUS


def test_the_history_tells_the_story_newest_first(host: StandingHost) -> None:
    events = host.pawld("history").document["events"]
    states = [one["state"] for one in events]
    assert states[0] == "idle"
    assert states[-1] == "downloading"
    assert [one["at"] for one in events] == sorted((one["at"] for one in events), reverse=True)
    assert events[0]["reason"]["message"] == f"Updated to {OLD}, which proved itself."
    assert len(host.pawld("history", "--limit", "1").document["events"]) == 1


def test_check_downloads_nothing(host: StandingHost) -> None:
    asked = len(host.web.asked)
    host.pawld("check")
    assert not any(one.startswith("GET /agent/") for one in host.web.asked[asked:])
    assert not list(host.downloads.glob("*"))


def test_a_blocked_version_is_not_installed_until_it_is_lifted(host: StandingHost) -> None:
    host.pawld("block", NEW)
    for words in (["check"], ["update"], ["update", "--force"]):
        said = host.pawld(*words)
        assert (said.exit, said.reason["code"]) == (0, "build_blocked")
    lifted = host.pawld("unblock", NEW)
    assert (lifted.exit, lifted.reason["message"]) == (0, f"{NEW} may be installed again.")
    assert host.pawld("check").exit == 100


def test_a_build_is_blocked_by_its_digest_too(host: StandingHost) -> None:
    (agent,) = host.pawld("check").document["agents"]
    digest = agent["wanted"]["sha256"]
    host.pawld("block", digest.upper())
    assert host.pawld("check").reason["code"] == "build_blocked"
    assert host.pawld("unblock", digest[:12]).exit == 0
    assert host.pawld("check").exit == 100


def test_config_show_hides_the_token_and_names_its_place(host: StandingHost) -> None:
    said = host.pawld("config", "show")
    shown = {one["key"]: one["value"] for one in said.document["settings"]}
    assert said.exit == 0
    assert shown["agents.acme.source.token"] == f"(the file {host.token})"
    assert shown["agents.acme.health.probation"] == "1s"


def test_config_schema_knows_every_key_of_this_configuration(host: StandingHost) -> None:
    said = host.pawld("config", "schema")
    assert said.exit == 0
    for key in ("agents", "state_dir", "base_url", "token_file", "metadata_url", "reserve", "is_running", "probation"):
        assert f'"{key}": {{' in said.output


def test_an_update_rolled_back_by_hand_is_blocked_and_can_be_had_again(own_host: StandingHost) -> None:
    assert own_host.pawld("update").exit == 0
    back = own_host.pawld("rollback")
    assert (back.exit, back.reason["code"]) == (0, "operator_rollback")
    assert own_host.running().endswith(f"acme-agent {OLD}")
    assert own_host.pawld("rollback").reason["code"] == "no_previous_slot"
    assert own_host.pawld("update").reason["code"] == "build_blocked"
    assert own_host.pawld("unblock", NEW).exit == 0
    again = own_host.pawld("update")
    assert (again.exit, again.reason["code"]) == (0, "updated")
    assert own_host.running().endswith(f"acme-agent {NEW}")


def test_a_sick_build_is_rolled_back_with_3_and_its_evidence_is_kept(own_host: StandingHost) -> None:
    own_host.config = own_host.config.replace('/health", every', '/nothing-there", every')
    said = own_host.pawld("update")
    assert (said.exit, said.reason["code"]) == (3, "rolled_back")
    assert own_host.running().endswith(f"acme-agent {OLD}")
    assert [one["cause"] for one in said.document["agents"][0]["blocked"]] == ["health_failed"]
    assert list((own_host.home / "state" / "evidence" / "acme").glob(f"{NEW}-*/*"))
