import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawld.errors import OperatorError, TransientError
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.service.command import CommandService
from pawld.service.deadman import go_back

CONTROL = """#!/bin/sh
# A small agent's control program: start | stop | status, with a pid file in the agent's root.
pid_file="$2/agent.pid"
case $1 in
  start) echo "starting $3"; [ -e "$2/broken" ] && { echo "no licence" >&2; exit 7; }
         sleep 60 & echo $! > "$pid_file"; echo "$3" > "$2/started" ;;
  stop) [ -e "$2/stubborn" ] || { kill $(cat "$pid_file"); rm "$pid_file"; } ;;
  status) [ -e "$pid_file" ] && kill -0 $(cat "$pid_file") 2>/dev/null && cat "$pid_file" ;;
esac
"""


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    return installed(tmp_path, "1.0.0")


@pytest.fixture
def service(tmp_path: Path, slot: Slot) -> Iterator[CommandService]:
    made = made_in(tmp_path, slot)
    yield made
    made.disarm()
    (tmp_path / "stubborn").unlink(missing_ok=True)
    made.stop()


def installed(root: Path, version: str) -> Slot:
    path = root / "versions" / f"{version}-0123456789ab"
    path.mkdir(parents=True)
    control = path / "control"
    control.write_text(CONTROL)
    control.chmod(control.stat().st_mode | stat.S_IXUSR)
    (root / "current.new").symlink_to(path)
    (root / "current.new").replace(root / "current")
    return Slot(path, version, "0" * 64)


def made_in(root: Path, slot: Slot | None, *, patience: float = 5, **words: list[str]) -> CommandService:
    commands = {
        "start": ["{slot}/control", "start", "{root}", "{version}"],
        "stop": ["{current}/control", "stop", "{root}"],
        "is_running": ["{current}/control", "status", "{root}"],
    } | words
    return CommandService(
        start=commands["start"],
        stop=commands["stop"],
        is_running=commands["is_running"],
        root=root,
        current=lambda: slot and reread(root),
        token=root / "state" / "deadman",
        log=root / "logs" / "start.log",
        patience=timedelta(seconds=patience),
    )


def reread(root: Path) -> Slot:
    path = (root / "current").resolve()
    return Slot(path, path.name.rsplit("-", 1)[0], "0" * 64)


def eventually(holds: Callable[[], object], seconds: float = 8) -> bool:
    end = time.monotonic() + seconds
    while not (answer := holds()) and time.monotonic() < end:
        time.sleep(0.05)
    return bool(answer)


def test_the_agents_own_commands_start_ask_and_stop_it(service: CommandService, slot: Slot, tmp_path: Path) -> None:
    assert not service.status().running
    service.start(slot)
    status = service.status()
    assert status.running
    assert status.pid == int((tmp_path / "agent.pid").read_text())
    assert (tmp_path / "started").read_text().strip() == "1.0.0"
    service.start(slot)
    assert service.status().pid == status.pid
    service.stop()
    assert not service.status().running
    service.stop()


def test_nothing_runs_while_nothing_is_installed(tmp_path: Path) -> None:
    service = made_in(tmp_path, None)
    assert service.status().detail == "nothing is installed"
    service.stop()


def test_a_start_that_fails_is_an_error_with_its_last_words(
    service: CommandService, slot: Slot, tmp_path: Path
) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(TransientError, match="no licence") as raised:
        service.start(slot)
    assert raised.value.reason is Reason.SERVICE_FAILED
    assert "no licence" in service.evidence(datetime.now(UTC) - timedelta(minutes=1))
    assert service.evidence(datetime.now(UTC) + timedelta(minutes=1)) == ""


def test_a_start_that_is_itself_the_agent_is_refused_and_says_what_is_expected(tmp_path: Path, slot: Slot) -> None:
    service = made_in(tmp_path, slot, patience=0.3, start=["sleep", "60"])
    with pytest.raises(TransientError, match="expected to leave the agent running and to end"):
        service.start(slot)


def test_a_start_after_which_nothing_runs_is_an_error(tmp_path: Path, slot: Slot) -> None:
    service = made_in(tmp_path, slot, patience=0.3, start=["true"])
    with pytest.raises(TransientError, match="does not run"):
        service.start(slot)


def test_an_agent_that_does_not_stop_is_an_error(tmp_path: Path, slot: Slot, service: CommandService) -> None:
    service.start(slot)
    (tmp_path / "stubborn").touch()
    with pytest.raises(TransientError, match="after its stop command"):
        made_in(tmp_path, slot, patience=0.3).stop()


def test_a_question_that_gets_no_answer_is_no_answer(tmp_path: Path, slot: Slot) -> None:
    with pytest.raises(TransientError, match="gave no answer"):
        made_in(tmp_path, slot, is_running=["/no/such/program"]).status()


def test_a_build_without_the_program_that_answers_is_not_running(tmp_path: Path, slot: Slot) -> None:
    assert not made_in(tmp_path, slot, is_running=["{current}/bin/gone"]).status().running


def test_a_word_that_nobody_fills_in_is_refused_when_the_service_is_made(tmp_path: Path, slot: Slot) -> None:
    with pytest.raises(OperatorError, match="currrent"):
        made_in(tmp_path, slot, stop=["{currrent}/control"])


def test_without_a_log_there_is_no_evidence(tmp_path: Path, slot: Slot) -> None:
    bare = CommandService(
        start=["true"],
        stop=["true"],
        is_running=["true"],
        root=tmp_path,
        current=lambda: slot,
        token=tmp_path / "token",
    )
    bare.start(slot)
    assert bare.evidence(datetime.now(UTC)) == ""
    assert bare.status().pid is None
    assert made_in(tmp_path, slot).evidence(datetime.now(UTC)) == ""


def test_the_switch_takes_the_agent_back_though_nobody_is_there(
    service: CommandService, slot: Slot, tmp_path: Path
) -> None:
    newer = installed(tmp_path, "2.0.0")
    service.start(newer)
    service.arm(timedelta(seconds=0.5), ["ln", "-sfn", str(slot.path), str(tmp_path / "current")])
    assert eventually(lambda: (tmp_path / "started").read_text().strip() == "1.0.0")
    assert eventually(lambda: service.status().running)
    assert not (tmp_path / "state" / "deadman").exists()


def test_a_switch_that_was_called_off_does_nothing(service: CommandService, slot: Slot, tmp_path: Path) -> None:
    service.start(slot)
    pid = service.status().pid
    service.arm(timedelta(seconds=1), ["touch", str(tmp_path / "fired")])
    service.disarm()
    service.disarm()
    time.sleep(1.4)
    assert not (tmp_path / "fired").exists()
    assert service.status().pid == pid


def test_arming_again_calls_the_earlier_switch_off(service: CommandService, slot: Slot, tmp_path: Path) -> None:
    service.arm(timedelta(seconds=1), ["touch", str(tmp_path / "fired")])
    service.arm(timedelta(hours=1), ["true"])
    time.sleep(1.4)
    assert not (tmp_path / "fired").exists()


def test_a_rollback_goes_on_though_the_agent_neither_stops_nor_starts(tmp_path: Path, slot: Slot) -> None:
    service = made_in(tmp_path, slot, patience=0.2, is_running=["/no/such/program"])
    go_back(service, ["touch", str(tmp_path / "pointed")], lambda: slot, limit=timedelta(seconds=30))
    assert (tmp_path / "pointed").exists()
    go_back(made_in(tmp_path, None), ["true"], lambda: None, limit=timedelta(seconds=30))
    assert not (tmp_path / "started").exists()


def test_a_host_that_cannot_fork_has_no_switch(
    service: CommandService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    service.arm(timedelta(seconds=1), ["true"])
    assert not (tmp_path / "state").exists()
