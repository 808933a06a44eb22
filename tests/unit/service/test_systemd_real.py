import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.systemd import SystemdHost

from pawld.errors import OperatorError, TransientError
from pawld.install.pointer import LinkPointer
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.service.systemd import SystemdService

pytestmark = pytest.mark.rig("systemd")

UNIT = "acme-agent.service"
SLOT = Slot(Path("/opt/acme/versions/1.0.0-0123456789ab"), "1.0.0", "0" * 64)
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)

AGENT = """[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c 'echo agent speaks; exec sleep infinity'
Restart=always
RestartSec=50ms
TimeoutStopSec=30
[Install]
WantedBy=multi-user.target
"""
STUBBORN = """[Service]
ExecStart=/bin/sh -c 'trap "" TERM; while :; do sleep 0.05; done'
TimeoutStopSec=infinity
"""
FALLING = """[Unit]
StartLimitIntervalSec=30
StartLimitBurst=3
[Service]
ExecStart=/bin/false
Restart=always
RestartSec={pause}
"""
BROKEN = """[Service]
Type=oneshot
ExecStart=/bin/false
"""


@pytest.fixture
def host(systemd_host: SystemdHost) -> Iterator[SystemdHost]:
    systemd_host.unit(UNIT, AGENT)
    yield systemd_host
    systemd_host.run(["systemctl", "unmask", UNIT])
    systemd_host.run(["systemctl", "kill", "--signal=SIGKILL", UNIT])
    systemd_host.run(["systemctl", "stop", UNIT, "pawld-deadman-acme.timer"])
    systemd_host.run(["systemctl", "disable", UNIT])


def service(host: SystemdHost, unit: str = UNIT, patience: float = 20) -> SystemdService:
    return SystemdService(unit, agent="acme", patience=timedelta(seconds=patience), run=host.run)


def eventually(holds: object, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not (answer := holds()) and time.monotonic() < end:  # type: ignore[operator]  # any callable
        time.sleep(0.05)
    return bool(answer)


def test_a_unit_is_started_seen_running_and_stopped(host: SystemdHost) -> None:
    unit = service(host)
    assert not unit.status().running
    unit.start(SLOT)
    seen = unit.status()
    assert seen.running
    assert seen.pid is not None
    assert host.path(f"/proc/{seen.pid}/comm").read_text().strip() in ("sh", "sleep")
    assert (seen.restarts, seen.detail) == (0, f"{UNIT} is active (running)")
    unit.stop()
    stopped = unit.status()
    assert (stopped.running, stopped.pid) == (False, None)
    unit.stop()


def test_the_administrators_enabling_is_told_apart_from_running(host: SystemdHost) -> None:
    assert service(host).status().enabled is False
    assert host.run(["systemctl", "enable", UNIT]).ok
    assert service(host).status().enabled is True


def test_a_restart_by_systemd_changes_the_process_and_is_counted_until_the_next_start(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    first = unit.status().pid
    assert host.run(["kill", "-9", str(first)]).ok
    assert eventually(lambda: unit.status().restarts == 1 and unit.status().running)
    assert unit.status().pid != first
    unit.stop()
    unit.start(SLOT)
    assert unit.status().restarts == 0


@pytest.mark.parametrize(("pause", "state"), [("1h", "activating (auto-restart"), ("10ms", "failed (failed")])
def test_an_agent_that_falls_again_and_again_is_to_run_though_it_does_not(
    host: SystemdHost, pause: str, state: str
) -> None:
    host.unit(UNIT, FALLING.format(pause=pause))
    unit = service(host)
    host.run(["systemctl", "start", "--no-block", UNIT])
    assert eventually(lambda: state in unit.status().detail), unit.status()
    seen = unit.status()
    assert (seen.running, seen.failing, seen.is_to_run) == (False, True, True)
    unit.stop()
    host.run(["systemctl", "reset-failed", UNIT])
    assert not unit.status().is_to_run


def test_an_agent_that_answers_a_stop_with_an_exit_code_is_stopped(host: SystemdHost) -> None:
    host.unit(UNIT, "[Service]\nExecStart=/bin/sh -c 'trap \"exit 7\" TERM; while :; do sleep 0.05; done'\n")
    unit = service(host)
    unit.start(SLOT)
    assert eventually(lambda: unit.status().pid)
    time.sleep(0.2)  # until the shell has set its trap
    host.run(["systemctl", "stop", UNIT])
    seen = unit.status()
    assert "failed" in seen.detail
    assert not seen.is_to_run


def test_an_agent_that_ignores_the_request_to_stop_is_killed(host: SystemdHost) -> None:
    host.unit(UNIT, STUBBORN)
    unit = service(host, patience=0.5)
    unit.start(SLOT)
    unit.stop()
    assert not unit.status().running


def test_an_agent_that_does_not_come_up_is_an_error_that_tells_its_state(host: SystemdHost) -> None:
    host.unit(UNIT, BROKEN)
    with pytest.raises(TransientError, match="result exit-code") as raised:
        service(host).start(SLOT)
    assert raised.value.reason is Reason.SERVICE_FAILED


def test_a_unit_file_changed_by_the_swap_is_read_anew(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    unit.stop()
    host.path(f"/etc/systemd/system/{UNIT}").write_text(AGENT.replace("agent speaks", "the new agent speaks"))
    unit.start(SLOT)
    assert eventually(lambda: "the new agent speaks" in unit.evidence(LONG_AGO))


def test_a_unit_that_nobody_installed_is_not_running_and_cannot_be_started(host: SystemdHost) -> None:
    unit = service(host, "nobody.service")
    assert not unit.status().running
    assert unit.status().detail == "nobody.service is not-found"
    unit.stop()
    with pytest.raises(OperatorError, match="systemd knows no unit nobody") as raised:
        unit.start(SLOT)
    assert raised.value.reason is Reason.CONFIG_INVALID


def test_a_masked_unit_is_left_as_the_administrator_wants_it(host: SystemdHost) -> None:
    host.path(f"/etc/systemd/system/{UNIT}").unlink()
    assert host.run(["systemctl", "mask", UNIT]).ok
    with pytest.raises(OperatorError, match="masked"):
        service(host).start(SLOT)


def test_an_armed_rollback_fires_by_itself_between_a_stop_and_a_start(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    before = unit.status().pid
    sign = host.shared / "fired"
    story = f"systemctl is-active {UNIT} > {sign}.new; mv {sign}.new {sign}"
    unit.arm(timedelta(seconds=1), ["/bin/sh", "-c", story])
    assert eventually(sign.exists)
    assert sign.read_text().strip() == "inactive"
    assert eventually(lambda: unit.status().running)
    assert unit.status().pid != before
    sign.unlink()


def test_the_service_comes_back_though_the_rollback_itself_fails(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    before = unit.status().pid
    unit.arm(timedelta(seconds=1), ["/bin/false"])
    assert eventually(lambda: unit.status().running and unit.status().pid != before)


def test_an_armed_rollback_fires_though_the_agent_ignores_the_request_to_stop(host: SystemdHost) -> None:
    host.unit(UNIT, STUBBORN)
    unit = service(host, patience=0.5)
    unit.start(SLOT)
    before = unit.status().pid
    sign = host.shared / "stubborn"
    unit.arm(timedelta(seconds=1), ["touch", str(sign)])
    assert eventually(sign.exists)
    assert eventually(lambda: unit.status().running and unit.status().pid != before)


def test_a_disarmed_rollback_never_fires_and_disarming_twice_is_harmless(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    before = unit.status().pid
    unit.arm(timedelta(seconds=1), ["/bin/false"])
    unit.disarm()
    unit.disarm()
    time.sleep(1.5)
    assert unit.status().pid == before
    assert "pawld-deadman" not in host.run(["systemctl", "list-timers", "--all"]).output


def test_arming_again_replaces_the_rollback_that_was_armed(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    unit.arm(timedelta(hours=1), ["/bin/false"])
    unit.arm(timedelta(hours=2), ["/bin/true"])
    timers = host.run(["systemctl", "list-timers", "--all"]).output
    assert timers.count("pawld-deadman-acme.timer") == 1
    assert "/bin/true" in host.run(["systemctl", "cat", "pawld-deadman-acme.service"]).output


def test_a_rollback_that_calls_disarm_itself_is_not_cut_off(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    sign = host.shared / "finished"
    story = f"systemctl stop pawld-deadman-acme.timer; sleep 0.2; touch {sign}"
    unit.arm(timedelta(seconds=1), ["/bin/sh", "-c", story])
    assert eventually(sign.exists)


def test_an_armed_rollback_still_works_after_systemd_has_read_its_units_anew(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    root = host.shared / "an agent's root"
    root.mkdir()
    unit.arm(timedelta(seconds=2), LinkPointer(root).command("1.0.0-0123456789ab"))
    assert host.run(["systemctl", "daemon-reload"]).ok
    assert eventually(lambda: os.path.lexists(root / "current"))
    assert str((root / "current").readlink()) == "versions/1.0.0-0123456789ab"
    assert eventually(lambda: unit.status().running)


def test_the_journal_since_then_is_the_evidence(host: SystemdHost) -> None:
    unit = service(host)
    unit.start(SLOT)
    assert eventually(lambda: "agent speaks" in unit.evidence(LONG_AGO))
    assert "agent speaks" not in unit.evidence(datetime.now(UTC) + timedelta(hours=1))
