import errno
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawld.errors import OperatorError, TransientError
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.service.systemd import SystemdService
from pawld.system.process import Finished

SLOT = Slot(Path("/opt/acme/versions/1.0.0-0123456789ab"), "1.0.0", "0" * 64)


class Jumping:
    """A clock that is wherever sleep moves it."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.at += duration.total_seconds()


def shown(**properties: str) -> str:
    seen = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success", **properties}
    return "".join(f"{name}={value}\n" for name, value in seen.items())


def answering(story: str | Callable[[Sequence[str]], Finished]) -> SystemdService:
    def run(command: Sequence[str]) -> Finished:
        return story(command) if callable(story) else Finished(tuple(command), 0, story, "")

    return SystemdService("acme.service", agent="ac me/1", clock=Jumping(), run=run)


@pytest.mark.parametrize(
    ("properties", "running", "detail"),
    [
        ({}, True, "acme.service is active (running)"),
        ({"ActiveState": "reloading", "SubState": "reload"}, True, "acme.service is reloading (reload)"),
        ({"ActiveState": "activating", "SubState": "auto-restart"}, False, "acme.service is activating (auto-restart)"),
        (
            {"ActiveState": "deactivating", "SubState": "stop-sigterm"},
            False,
            "acme.service is deactivating (stop-sigterm)",
        ),
        (
            {"ActiveState": "failed", "SubState": "failed", "Result": "oom-kill"},
            False,
            "acme.service is failed (failed, result oom-kill)",
        ),
    ],
)
def test_each_state_is_running_or_not(properties: dict[str, str], running: bool, detail: str) -> None:
    status = answering(shown(**properties)).status()
    assert (status.running, status.detail) == (running, detail)


@pytest.mark.parametrize(
    ("word", "enabled"),
    [
        ("enabled", True),
        ("enabled-runtime", True),
        ("alias", True),
        ("disabled", False),
        ("masked", False),
        ("static", None),
        ("generated", None),
        ("", None),
    ],
)
def test_what_systemd_has_no_word_for_is_neither_enabled_nor_disabled(word: str, enabled: bool | None) -> None:
    assert answering(shown(UnitFileState=word)).status().enabled is enabled


def test_an_active_unit_without_a_main_process_has_no_pid() -> None:
    assert answering(shown(MainPID="0", SubState="exited")).status().pid is None


def test_a_host_without_systemd_needs_a_person() -> None:
    def absent(command: Sequence[str]) -> Finished:
        return Finished(tuple(command), None, "", "systemctl: No such file or directory", ran=False)

    with pytest.raises(OperatorError, match="no systemd") as raised:
        answering(absent).status()
    assert raised.value.reason is Reason.CONFIG_INVALID


def test_a_systemd_that_refuses_is_tried_again_later() -> None:
    def refusing(command: Sequence[str]) -> Finished:
        return Finished(tuple(command), 1, "", "Failed to connect to bus: No such file or directory")

    with pytest.raises(TransientError, match="Failed to connect to bus") as raised:
        answering(refusing).status()
    assert raised.value.reason is Reason.SERVICE_FAILED


def test_an_answer_without_a_state_is_not_taken_for_one() -> None:
    with pytest.raises(TransientError, match="did not tell the state"):
        answering("Id=acme.service\n").status()


def test_a_unit_that_not_even_a_kill_ends_is_an_error() -> None:
    with pytest.raises(TransientError, match="nor by killing it") as raised:
        answering(shown()).stop()
    assert raised.value.reason is Reason.SERVICE_FAILED


def test_a_unit_that_stays_on_its_way_up_is_given_up_after_the_patience() -> None:
    with pytest.raises(TransientError, match=r"did not bring acme.service up from 1\.0\.0"):
        answering(shown(ActiveState="activating", SubState="start")).start(SLOT)


def test_the_switch_is_named_after_the_agent_in_letters_that_a_unit_may_have() -> None:
    asked: list[Sequence[str]] = []

    def noting(command: Sequence[str]) -> Finished:
        asked.append(command)
        return Finished(tuple(command), 0, "", "")

    answering(noting).arm(timedelta(minutes=4), ["/bin/true"])
    assert "--unit=pawld-deadman-ac_me_1" in asked[-1]
    assert "--on-active=240s" in asked[-1]


def test_evidence_that_cannot_be_had_is_a_sentence_and_no_error() -> None:
    def refusing(command: Sequence[str]) -> Finished:
        return Finished(tuple(command), None, "", "journalctl: No such file or directory", ran=False)

    assert "journalctl" in answering(refusing).evidence(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("state", ["inactive", "failed"])
def test_a_switch_that_was_never_armed_or_is_over_is_called_off(state: str) -> None:
    def without(command: Sequence[str]) -> Finished:
        if command[2] == "show":
            return Finished(tuple(command), 0, f"ActiveState={state}\n", "")
        return Finished(tuple(command), 5, "", "Unit not loaded.")

    SystemdService("acme.service", agent="acme", run=without).disarm()


def test_a_switch_that_may_still_fire_is_not_called_off() -> None:
    def deaf(command: Sequence[str]) -> Finished:
        if command[2] == "show":
            return Finished(tuple(command), 0, "ActiveState=active\n", "")
        return Finished(tuple(command), 1, "", "Connection timed out")

    with pytest.raises(TransientError, match=r"did not stop pawld-deadman-acme\.timer") as raised:
        SystemdService("acme.service", agent="acme", run=deaf).disarm()
    assert raised.value.reason is Reason.SERVICE_FAILED


def test_a_host_that_can_start_no_program_now_has_a_systemd_all_the_same() -> None:
    def short(command: Sequence[str]) -> Finished:
        return Finished(tuple(command), None, "", "Too many open files", ran=False, shortage=errno.EMFILE)

    with pytest.raises(TransientError) as raised:
        SystemdService("acme.service", agent="acme", run=short).disarm()
    assert raised.value.reason is Reason.IO_FAILED
