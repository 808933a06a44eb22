from datetime import timedelta
from pathlib import Path

import pytest

from pawld.errors import OperatorError
from pawld.health.command import CommandCheck
from pawld.health.version import VersionCheck, names_version
from pawld.model import Slot
from pawld.ports import Finding, Healthy, Sick, Unclear


def looked(root: Path, *command: str, limit: float = 5) -> Finding:
    check = CommandCheck(command, root=root, limit=timedelta(seconds=limit))
    check.begin()
    return check.check(slot_in(root))


def slot_in(root: Path) -> Slot:
    return Slot(root / "versions" / "1.8.3-0123456789ab", "1.8.3", "0" * 64)


def test_a_command_that_ends_with_0_is_healthy(tmp_path: Path) -> None:
    assert looked(tmp_path, "true") == Healthy()


def test_a_command_that_fails_is_sick_and_its_last_words_are_kept(tmp_path: Path) -> None:
    assert looked(tmp_path, "sh", "-c", "echo queue is stuck >&2; exit 2") == Sick("sh ended with 2: queue is stuck.")


def test_a_local_command_that_hangs_is_sick(tmp_path: Path) -> None:
    finding = looked(tmp_path, "sleep", "9", limit=0.2)
    assert isinstance(finding, Sick)
    assert "took longer than 0.2 s" in finding.detail


def test_a_command_that_crashes_is_sick(tmp_path: Path) -> None:
    assert looked(tmp_path, "sh", "-c", "kill -SEGV $$") == Sick("sh ended with -11.")


def test_a_build_that_lacks_its_own_program_is_sick(tmp_path: Path) -> None:
    assert isinstance(looked(tmp_path, "{current}/bin/acme", "health"), Sick)
    assert isinstance(looked(tmp_path, "{slot}/bin/acme", "health"), Sick)


def test_a_program_of_the_host_that_is_missing_is_unclear(tmp_path: Path) -> None:
    assert isinstance(looked(tmp_path, "/usr/local/bin/no-such-probe"), Unclear)


def test_the_agents_words_are_filled_in(tmp_path: Path) -> None:
    assert isinstance(looked(tmp_path, "test", "{version}", "=", "1.8.3"), Healthy)


def test_a_misspelt_word_is_refused_before_any_probation(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="health check command"):
        CommandCheck(["{slott}/bin/acme"], root=tmp_path)
    with pytest.raises(OperatorError, match="health check version"):
        VersionCheck(["{slott}/bin/acme"], root=tmp_path)


def version_of(root: Path, *command: str) -> Finding:
    check = VersionCheck(command, root=root)
    check.begin()
    return check.check(slot_in(root))


@pytest.mark.parametrize("stream", ["1", "2"])
def test_an_agent_that_names_its_version_is_healthy(tmp_path: Path, stream: str) -> None:
    assert isinstance(version_of(tmp_path, "sh", "-c", f"echo acme 1.8.3 >&{stream}"), Healthy)


def test_an_agent_that_names_another_version_is_sick_and_what_it_said_is_told(tmp_path: Path) -> None:
    finding = version_of(tmp_path, "echo", "acme 1.8.2")
    assert finding == Sick("The agent should say 1.8.3 and says 'acme 1.8.2'.")


def test_an_agent_that_cannot_tell_its_version_is_sick(tmp_path: Path) -> None:
    assert isinstance(version_of(tmp_path, "sh", "-c", "echo 1.8.3; exit 1"), Sick)


@pytest.mark.parametrize(
    "text",
    ["1.8.3", "acme 1.8.3\n", "v1.8.3", "acme-1.8.3", "acme_v1.8.3", "acme/1.8.3 (linux)", "This is 1.8.3.", "(1.8.3)"],
)
def test_a_version_by_itself_is_found(text: str) -> None:
    assert names_version(text, "1.8.3")
    assert names_version(text, "v1.8.3")


@pytest.mark.parametrize(
    "text",
    ["11.8.3", "1.8.30", "1.8.3-rc1", "1.8.3.1", "1.8.3+build5", "0.1.8.3", "2-1.8.3", "1.8.3~beta", "1x8x3", ""],
)
def test_a_part_of_another_version_is_not(text: str) -> None:
    assert not names_version(text, "1.8.3")
