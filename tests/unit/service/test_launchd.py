import os
import plistlib
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.launchd import FakeLaunchd

from pawld.errors import OperatorError, TransientError
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.service.launchd import LaunchdService
from pawld.system.process import Finished

LABEL = "com.example.acme"
SWITCH = "pawld.deadman.acme"
SLOT = Slot(Path("/opt/acme/versions/1.0.0-0123456789ab"), "1.0.0", "0" * 64)


@pytest.fixture
def launchd() -> FakeLaunchd:
    return FakeLaunchd()


@pytest.fixture
def service(launchd: FakeLaunchd, tmp_path: Path) -> LaunchdService:
    job = {"Label": LABEL, "ProgramArguments": ["/opt/acme/current/bin/acme", "serve"], "RunAtLoad": True}
    (tmp_path / f"{LABEL}.plist").write_bytes(plistlib.dumps(job))
    return LaunchdService(LABEL, agent="acme", daemons=tmp_path, clock=launchd, run=launchd.run)


def test_a_job_is_loaded_seen_running_and_unloaded(service: LaunchdService, launchd: FakeLaunchd) -> None:
    assert service.status().detail == f"{LABEL} is not loaded"
    service.start(SLOT)
    status = service.status()
    assert (status.running, status.pid, status.restarts, status.enabled) == (True, 501, 0, True)
    service.stop()
    assert not service.status().running
    assert launchd.jobs == {}
    service.stop()


def test_the_end_of_a_job_is_awaited_before_it_is_loaded_again(service: LaunchdService, launchd: FakeLaunchd) -> None:
    service.start(SLOT)
    launchd.lingers = 20
    service.stop()
    assert launchd.at >= 20
    service.start(SLOT)
    assert service.status().running


def test_a_job_without_run_at_load_is_kicked(service: LaunchdService, launchd: FakeLaunchd, tmp_path: Path) -> None:
    job = {"Label": LABEL, "Program": "/opt/acme/current/bin/acme"}
    (tmp_path / f"{LABEL}.plist").write_bytes(plistlib.dumps(job))
    service.start(SLOT)
    assert (service.status().running, service.status().restarts) == (True, 0)
    assert 'process == "acme"' in service.evidence(datetime.now(UTC))


def test_a_restart_by_launchd_is_counted_until_the_next_start(service: LaunchdService, launchd: FakeLaunchd) -> None:
    service.start(SLOT)
    launchd.crash(LABEL)
    status = service.status()
    assert (status.running, status.pid, status.restarts) == (True, 502, 1)
    assert status.detail == f"{LABEL} is running, last exit Killed: 9"
    service.stop()
    service.start(SLOT)
    assert service.status().restarts == 0


def test_a_bootstrap_that_meets_the_old_job_on_its_way_out_is_tried_again(
    service: LaunchdService, launchd: FakeLaunchd, tmp_path: Path
) -> None:
    service.arm(timedelta(minutes=4), ["/bin/true"])
    service.arm(timedelta(minutes=5), ["/bin/true"])
    assert "sleep 300;" in str(launchd.jobs[SWITCH].keys["ProgramArguments"])
    assert ("launchctl", "bootstrap", "system", str(tmp_path / f"{SWITCH}.plist")) in launchd.asked


def test_a_job_that_never_goes_is_an_error(service: LaunchdService, launchd: FakeLaunchd) -> None:
    service.start(SLOT)
    launchd.lingers = 1e9
    with pytest.raises(TransientError, match="has not let go") as raised:
        service.stop()
    assert raised.value.reason is Reason.SERVICE_FAILED


def test_a_refusal_to_unload_is_an_error(service: LaunchdService, launchd: FakeLaunchd) -> None:
    service.start(SLOT)
    launchd._bootout = lambda _: (150, "", "Boot-out failed: 150: Operation not permitted")  # type: ignore[method-assign]  # SIP
    with pytest.raises(TransientError, match="Operation not permitted"):
        service.stop()


def test_a_program_that_cannot_be_run_is_an_error_with_its_last_exit(
    service: LaunchdService, launchd: FakeLaunchd
) -> None:
    launchd.will_run = False
    with pytest.raises(TransientError, match="EX_CONFIG"):
        service.start(SLOT)


@pytest.mark.parametrize("modern", [True, False], ids=["macOS 14", "macOS 12"])
def test_a_job_that_the_administrator_disabled_is_left_alone(
    service: LaunchdService, launchd: FakeLaunchd, modern: bool
) -> None:
    launchd.modern = modern
    launchd.disabled = {LABEL: True, "com.example.other": False}
    assert service.status().enabled is False
    with pytest.raises(OperatorError, match="disabled"):
        service.start(SLOT)
    launchd.disabled = {LABEL: False}
    assert service.status().enabled is True


def test_a_job_without_its_property_list_needs_a_person(service: LaunchdService, tmp_path: Path) -> None:
    (tmp_path / f"{LABEL}.plist").unlink()
    with pytest.raises(OperatorError, match="There is no"):
        service.start(SLOT)
    assert f'process == "{LABEL}"' in service.evidence(datetime.now(UTC))


def test_a_bootstrap_that_fails_for_another_cause_is_an_error(service: LaunchdService, launchd: FakeLaunchd) -> None:
    launchd._bootstrap = lambda *_: (125, "", "Bootstrap failed: 125: Domain does not support it")  # type: ignore[method-assign]  # as a user
    with pytest.raises(TransientError, match="125"):
        service.start(SLOT)


def test_the_switch_is_a_job_of_its_own_that_is_called_off(
    service: LaunchdService, launchd: FakeLaunchd, tmp_path: Path
) -> None:
    service.arm(timedelta(minutes=4), ["/opt/pawld/pawld", "rollback", "ac me"])
    job = launchd.jobs[SWITCH].keys
    words = job["ProgramArguments"]
    assert isinstance(words, list)
    assert words[-3:] == ["/opt/pawld/pawld", "rollback", "ac me"]
    assert (tmp_path / f"{SWITCH}.plist").stat().st_mode & 0o777 == 0o644
    service.disarm()
    service.disarm()
    assert not (tmp_path / f"{SWITCH}.plist").exists()
    launchd.sleep(timedelta(seconds=2))
    launchd.run(["launchctl", "print", "system"])
    assert SWITCH not in launchd.jobs


@pytest.mark.skipif(os.name != "posix", reason="there is no sh")
def test_the_words_of_the_switch_do_as_they_say_in_a_real_shell(service: LaunchdService, tmp_path: Path) -> None:
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for name in ("launchctl", "sleep", "roll back"):
        program = bin_directory / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{tmp_path}/story"\n')
        program.chmod(0o755)
    service.arm(timedelta(minutes=4), [str(bin_directory / "roll back"), "to 1.0.0"])
    words = plistlib.loads((tmp_path / f"{SWITCH}.plist").read_bytes())["ProgramArguments"]
    subprocess.run(words, env={"PATH": f"{bin_directory}:/usr/bin:/bin"}, check=True)
    assert (tmp_path / "story").read_text().splitlines() == [
        "sleep 240",
        f"launchctl bootout system/{LABEL}",
        "roll back to 1.0.0",
        f"launchctl bootstrap system {tmp_path}/{LABEL}.plist",
    ]
    assert not (tmp_path / f"{SWITCH}.plist").exists()


def test_a_switch_that_has_fired_is_not_cut_off_by_the_rollback_that_it_runs(
    service: LaunchdService, launchd: FakeLaunchd, tmp_path: Path
) -> None:
    service.arm(timedelta(minutes=4), ["/bin/true"])
    (tmp_path / f"{SWITCH}.plist").unlink()
    launchd.asked.clear()
    service.disarm()
    assert launchd.asked == []


@pytest.mark.parametrize(
    ("ran", "error"), [(False, OperatorError), (True, TransientError)], ids=["not a Mac", "launchd hangs"]
)
def test_a_launchd_that_does_not_answer_is_an_error(tmp_path: Path, ran: bool, error: type[Exception]) -> None:
    def silent(command: object) -> Finished:
        return Finished(("launchctl",), None, "", "it took longer than 60 s", ran=ran)

    with pytest.raises(error):
        LaunchdService(LABEL, agent="acme", daemons=tmp_path, run=silent).status()


def test_evidence_that_cannot_be_had_is_a_sentence(tmp_path: Path) -> None:
    service = LaunchdService(LABEL, agent="acme", daemons=tmp_path, run=lambda c: Finished(tuple(c), 64, "", "log: no"))
    assert service.evidence(datetime.now(UTC)) == "/usr/bin/log ended with 64: log: no"
    assert service._enabled() is None
