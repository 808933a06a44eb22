import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path, PureWindowsPath

import pytest
from support.windows_services import OLD, Manager

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.service.deadman import Companion
from pawld.service.windows import WindowsService, repointed
from pawld.system.windows_services import AUTOMATIC, DISABLED, RUNNING, STOPPED, Seen

ROOT = PureWindowsPath(r"C:\Program Files\Acme")
NEW = r'"C:\Program Files\Acme\versions\2.0.0-ba9876543210\acme.exe" --service'
SLOT = Slot(Path("versions") / "2.0.0-ba9876543210", "2.0.0", "0" * 64)


@pytest.fixture
def manager() -> Manager:
    return Manager()


@pytest.fixture
def service(manager: Manager) -> WindowsService:
    return WindowsService("Acme", root=ROOT, clock=manager, services=lambda: manager)


def test_a_service_is_pointed_to_the_slot_and_runs(service: WindowsService, manager: Manager) -> None:
    assert service.status().detail == "Acme is stopped"
    service.start(SLOT)
    status = service.status()
    assert (status.running, status.pid, status.enabled) == (True, 77, True)
    assert manager.seen is not None
    assert manager.seen.command_line == NEW
    service.start(SLOT)
    service.stop()
    assert (service.status().running, service.status().pid) == (False, None)
    service.stop()


def test_a_service_that_stopped_meanwhile_is_no_error(service: WindowsService, manager: Manager) -> None:
    manager.seen = Seen(RUNNING, 5, AUTOMATIC, OLD)
    stop = manager.stop

    def stopped_meanwhile(name: str) -> None:
        manager.seen = Seen(STOPPED, 0, AUTOMATIC, OLD)
        stop(name)

    manager.stop = stopped_meanwhile  # type: ignore[method-assign]  # the race under test
    service.stop()
    assert not service.status().running


def test_a_service_that_still_leads_to_the_slot_that_was_left_is_pointed_to_the_current_one(
    service: WindowsService, manager: Manager
) -> None:
    assert service.reconcile(SLOT) == "The service Acme was pointed to 2.0.0, which is the current one."
    assert manager.seen == Seen(STOPPED, 0, AUTOMATIC, NEW)
    assert service.reconcile(SLOT) is None
    manager.seen = None
    assert service.reconcile(SLOT) is None, "there is no service"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (OLD, NEW),
        (NEW, NEW),
        (OLD.replace("Program Files", "PROGRAM FILES"), NEW),
        (r'"C:\Program Files\Acme\current\acme.exe" --service', NEW),
        (r"C:\Program Files\Acme\currently\acme.exe", r"C:\Program Files\Acme\currently\acme.exe"),
        (r"C:\Tools\pawld.exe exec acme", r"C:\Tools\pawld.exe exec acme"),
        ("", ""),
    ],
    ids=["another slot", "the same slot", "another case", "no slot yet", "not quite", "elsewhere", "nothing"],
)
def test_only_a_command_line_into_a_slot_of_the_root_is_changed(line: str, expected: str) -> None:
    assert repointed(line, ROOT, SLOT) == expected


def test_a_root_without_spaces_needs_no_quotes() -> None:
    line = r"C:\acme\versions\1.0.0-0123456789ab\acme.exe -x"
    assert repointed(line, PureWindowsPath(r"C:\acme"), SLOT) == r"C:\acme\versions\2.0.0-ba9876543210\acme.exe -x"


def test_a_service_that_nobody_installed_is_not_running_and_cannot_be_started(
    service: WindowsService, manager: Manager
) -> None:
    manager.seen = None
    assert service.status().detail == "there is no service Acme"
    service.stop()
    with pytest.raises(OperatorError, match="There is no service Acme"):
        service.start(SLOT)


def test_a_service_that_the_administrator_disabled_is_left_alone(service: WindowsService, manager: Manager) -> None:
    manager.seen = Seen(STOPPED, 0, DISABLED, OLD)
    assert service.status().enabled is False
    with pytest.raises(OperatorError, match="disabled"):
        service.start(SLOT)
    assert manager.seen.command_line == OLD


def test_a_service_that_ends_at_once_is_an_error(service: WindowsService, manager: Manager) -> None:
    manager.becomes = STOPPED
    with pytest.raises(TransientError, match=r"did not come up from 2\.0\.0: Acme is stopped"):
        service.start(SLOT)


def test_a_service_that_does_not_listen_is_ended_when_its_time_is_over(
    service: WindowsService, manager: Manager
) -> None:
    manager.seen, manager.deaf = Seen(RUNNING, 5, AUTOMATIC, OLD), True
    service.stop()
    assert (manager.killed, manager.at >= 90, service.status().running) == (True, True, False)


def test_a_service_that_cannot_even_be_ended_is_an_error(service: WindowsService, manager: Manager) -> None:
    manager.seen, manager.deaf, manager.immortal = Seen(RUNNING, 5, AUTOMATIC, OLD), True, True
    with pytest.raises(TransientError, match="has not stopped after 90 s"):
        service.stop()


@pytest.mark.parametrize(
    ("code", "family", "reason"),
    [(5, OperatorError, Reason.PERMISSION_DENIED), (1053, TransientError, Reason.SERVICE_FAILED)],
    ids=["access denied", "no answer in time"],
)
def test_a_refusal_is_translated(
    service: WindowsService, manager: Manager, code: int, family: type[PawldError], reason: Reason
) -> None:
    manager.deny = code
    with pytest.raises(family) as raised:
        service.start(SLOT)
    assert raised.value.reason is reason


def test_what_is_armed_and_called_off_is_the_switch(tmp_path: Path, manager: Manager) -> None:
    go = [sys.executable, "-c", f"import sys, shutil; shutil.copy(sys.argv[1], {str(tmp_path / 'order')!r})"]
    switch = Companion(tmp_path / "deadman" / "acme", go, {"agent": "acme"})
    service = WindowsService("Acme", root=ROOT, switch=switch, clock=manager, services=lambda: manager)
    service.arm(timedelta(minutes=4), ["back"])
    end = time.monotonic() + 30
    while not (tmp_path / "order").exists() and time.monotonic() < end:
        time.sleep(0.02)
    order = json.loads((tmp_path / "deadman" / "acme").read_text())
    assert {**order, "word": ""} == {"word": "", "seconds": 240.0, "rollback": ["back"], "agent": "acme"}
    service.disarm()
    service.disarm()
    assert not (tmp_path / "deadman" / "acme").exists()


def test_without_a_switch_nothing_is_armed_and_nothing_is_kept(service: WindowsService) -> None:
    service.arm(timedelta(minutes=4), ["true"])
    service.disarm()
    assert service.evidence(datetime.now(UTC)) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there is one on Windows")
def test_a_host_without_the_manager_says_so() -> None:
    with pytest.raises(TransientError, match="no service control manager"):
        WindowsService("Acme", root=ROOT).status()
