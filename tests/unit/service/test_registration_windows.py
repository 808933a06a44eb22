"""pawld's own service of Windows: made once, brought up to date, started again when it dies."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.windows_services import Manager

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.service.registration import Style
from pawld.service.registration_windows import NAME, WindowsRegistration, settle
from pawld.system.windows_registrar import HostRegistrar
from pawld.system.windows_services import AUTOMATIC, RUNNING, STOPPED, Seen

PROGRAM = (r"C:\Program Files\pawld\pawld.exe",)


@pytest.fixture
def manager() -> Manager:
    return Manager(None)


@pytest.fixture
def registration(manager: Manager, tmp_path: Path) -> WindowsRegistration:
    return WindowsRegistration(
        PROGRAM, None, tmp_path / "state", services=lambda: manager, registrar=lambda: manager, clock=manager
    )


def test_it_starts_at_every_boot_and_again_when_it_dies(
    registration: WindowsRegistration, manager: Manager, tmp_path: Path
) -> None:
    registration.install(Style.DAEMON)
    seen = registration.status()
    assert (seen.enabled, seen.running, seen.text) == (True, True, "pawld is running")
    assert manager.seen is not None
    assert manager.seen.command_line == r'"C:\Program Files\pawld\pawld.exe" run --service'
    assert manager.told["recover"] == ([5, 60, 600], timedelta(days=1))
    assert manager.told["delay"] == "yes"
    assert manager.told["close"] == tmp_path / "state"


def test_installing_again_brings_the_command_line_up_to_date(
    registration: WindowsRegistration, manager: Manager
) -> None:
    manager.seen = Seen(RUNNING, 5, AUTOMATIC, r"C:\old\pawld.exe run --service")
    words = (r"C:\Python\python.exe", "-P", "-m", "pawld")
    again = replace(registration, program=words, config=Path("my pawld.toml"))
    again.install(Style.DAEMON)
    line = r'"C:\Python\python.exe" -P -m pawld --config "my pawld.toml" run --service'
    assert manager.seen.command_line == line
    assert manager.seen.pid == 77, "the old process was stopped first"


def test_a_manager_without_recovery_settings_has_it_all_the_same(
    registration: WindowsRegistration, manager: Manager
) -> None:
    manager.lacks = ("recover", "delay")
    registration.install(Style.DAEMON)
    assert registration.status().running


def test_a_service_that_an_msi_made_sees_to_its_recovery_and_its_state_directory_when_it_starts(
    manager: Manager, tmp_path: Path
) -> None:
    for _ in range(2):
        settle(tmp_path / "state", registrar=lambda: manager)
    assert manager.told == {"recover": ([5, 60, 600], timedelta(days=1)), "close": tmp_path / "state"}
    assert (tmp_path / "state").is_dir()


def test_the_recovery_that_an_administrator_chose_stays_when_it_starts(manager: Manager, tmp_path: Path) -> None:
    manager.told["recover"] = "runs a program"
    settle(tmp_path, registrar=lambda: manager)
    assert manager.told["recover"] == "runs a program"


def test_without_recovery_settings_its_state_directory_is_closed_all_the_same(manager: Manager, tmp_path: Path) -> None:
    manager.lacks = ("recover",)
    settle(tmp_path, registrar=lambda: manager)
    assert manager.told == {"close": tmp_path}


def test_a_state_directory_that_cannot_be_closed_is_told(manager: Manager, tmp_path: Path) -> None:
    manager.lacks = ("close",)
    with pytest.raises(TransientError, match=r"Closing .* to others failed"):
        settle(tmp_path, NAME, lambda: manager)


def test_it_is_stopped_and_started_again(registration: WindowsRegistration) -> None:
    registration.install(Style.DAEMON)
    registration.stop()
    assert not registration.status().running
    registration.start()
    assert registration.status().running


def test_uninstalling_leaves_no_service(registration: WindowsRegistration, manager: Manager) -> None:
    registration.install(Style.DAEMON)
    registration.uninstall()
    registration.uninstall()
    assert manager.seen is None
    assert registration.status().text == "there is no service pawld"


def test_there_is_no_timer(registration: WindowsRegistration) -> None:
    with pytest.raises(OperatorError, match="no timer"):
        registration.install(Style.TIMER)


def test_one_that_does_not_come_up_is_told(registration: WindowsRegistration, manager: Manager) -> None:
    manager.becomes = STOPPED
    with pytest.raises(TransientError, match="pawld did not come up") as raised:
        registration.install(Style.DAEMON)
    assert raised.value.reason is Reason.SERVICE_FAILED


def test_what_the_manager_refuses_is_told(registration: WindowsRegistration, manager: Manager) -> None:
    manager.lacks = ("describe",)
    with pytest.raises(TransientError, match=r"\(124\)"):
        registration.install(Style.DAEMON)


@pytest.mark.skipif(sys.platform == "win32", reason="there is one on Windows")
def test_a_host_without_the_manager_has_nobody_to_make_services() -> None:
    with pytest.raises(OSError, match="no service control manager"):
        HostRegistrar()
