import plistlib
from pathlib import Path

import pytest
from support.launchd import FakeLaunchd

from pawld.errors import OperatorError, TransientError
from pawld.service.registration import Style
from pawld.service.registration_launchd import LABEL, LaunchdRegistration
from pawld.system.process import Finished
from pawld.wiring.registration import known_registration

PROGRAM = Path("/usr/local/pawld/pawld")


@pytest.fixture
def launchd() -> FakeLaunchd:
    return FakeLaunchd()


@pytest.fixture
def registration(launchd: FakeLaunchd, tmp_path: Path) -> LaunchdRegistration:
    return LaunchdRegistration(PROGRAM, None, tmp_path, launchd.run, launchd)


def keys(place: Path) -> dict[str, object]:
    return dict(plistlib.loads((place / f"{LABEL}.plist").read_bytes()))


def test_pawld_is_loaded_runs_and_starts_at_every_boot(registration: LaunchdRegistration, tmp_path: Path) -> None:
    assert not registration.status().running
    registration.install(Style.DAEMON)
    seen = registration.status()
    assert (seen.enabled, seen.running) == (True, True)
    job = keys(tmp_path)
    assert job["ProgramArguments"] == [str(PROGRAM), "run"]
    assert (job["RunAtLoad"], job["KeepAlive"]) == (True, True)
    assert (tmp_path / f"{LABEL}.plist").stat().st_mode & 0o777 == 0o644


def test_installing_again_brings_it_up_to_date_and_waits_for_the_old_job_to_go(
    registration: LaunchdRegistration, launchd: FakeLaunchd, tmp_path: Path
) -> None:
    registration.install(Style.DAEMON)
    before = launchd.jobs[LABEL].pid
    LaunchdRegistration(PROGRAM, Path("/etc/p.toml"), tmp_path, launchd.run, launchd).install(Style.DAEMON)
    assert launchd.jobs[LABEL].pid != before
    assert keys(tmp_path)["ProgramArguments"] == [str(PROGRAM), "--config", "/etc/p.toml", "run"]


def test_from_a_timer_it_runs_a_cycle_now_and_then(registration: LaunchdRegistration, tmp_path: Path) -> None:
    registration.install(Style.TIMER)
    job = keys(tmp_path)
    assert (job["ProgramArguments"], job["StartInterval"]) == ([str(PROGRAM), "cycle"], 3660)
    assert "KeepAlive" not in job


def test_uninstalling_leaves_no_job_and_no_property_list(registration: LaunchdRegistration, tmp_path: Path) -> None:
    registration.install(Style.DAEMON)
    registration.uninstall()
    registration.uninstall()
    assert list(tmp_path.iterdir()) == []
    assert (registration.status().enabled, registration.status().running) == (False, False)


def test_it_is_stopped_and_started_again(registration: LaunchdRegistration) -> None:
    registration.install(Style.DAEMON)
    registration.stop()
    assert not registration.status().running
    registration.start()
    assert registration.status().running


def test_what_is_not_installed_cannot_be_started(registration: LaunchdRegistration) -> None:
    with pytest.raises(OperatorError, match="service install"):
        registration.start()


def test_a_program_that_does_not_come_up_is_told(registration: LaunchdRegistration, launchd: FakeLaunchd) -> None:
    launchd.will_run = False
    with pytest.raises(TransientError, match="did not bring pawld up"):
        registration.install(Style.DAEMON)


def test_a_host_without_launchd_is_told(tmp_path: Path, launchd: FakeLaunchd) -> None:
    absent = LaunchdRegistration(
        PROGRAM, None, tmp_path, lambda words: Finished(tuple(words), None, "", "no launchctl", ran=False), launchd
    )
    with pytest.raises(OperatorError, match="no launchd"):
        absent.install(Style.DAEMON)


def test_on_macos_pawld_registers_with_launchd(tmp_path: Path) -> None:
    assert isinstance(known_registration("darwin"), LaunchdRegistration)
