"""pawld is killed while a build is on probation: systemd's own timer takes it back, and pawld believes that."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from support.commands import PAWLD
from support.real_releases import NEW, OLD
from support.serviced import Serviced, serviced
from support.systemd import SystemdHost

pytestmark = [pytest.mark.rig("systemd"), pytest.mark.rig("nginx"), pytest.mark.rig("real_releases")]
TIMER = "pawld-deadman-ruff.timer"


@pytest.fixture
def ruff(systemd_host: SystemdHost) -> Iterator[Serviced]:
    with serviced(systemd_host) as agent:
        agent.release(OLD)
        assert agent.pawld("update").exit == 0
        agent.release(NEW)
        agent.configure(probation="1h")
        yield agent


def test_a_killed_pawld_leaves_a_timer_that_brings_the_old_build_back(ruff: Serviced) -> None:
    old = ruff.current()
    with killed_on_probation(ruff):
        assert ruff.running() == [ruff.slot(NEW) / ruff.program]
    assert status(ruff)["state"] == "probation"
    bring_forward(ruff)
    assert eventually(lambda: ruff.current() == old)
    assert eventually(lambda: ruff.running() == [old / ruff.program])

    recovered = ruff.pawld("recover")
    assert (recovered.exit, recovered.reason) == (0, "recovered")
    assert "the dead man's switch took it back" in recovered.agent["reason"]["message"]
    assert ruff.running() == [old / ruff.program]
    told = status(ruff)
    assert (told["state"], told["installed"]["version"]) == ("idle", OLD)
    assert [(one["version"], one["cause"]) for one in told["blocked"]] == [(NEW, "health_failed")]


def test_an_update_after_the_timer_fired_believes_it_and_does_not_try_that_build_again(ruff: Serviced) -> None:
    old = ruff.current()
    with killed_on_probation(ruff):
        pass
    bring_forward(ruff)
    assert eventually(lambda: ruff.running() == [old / ruff.program])
    ruff.configure()
    again = ruff.pawld("update")
    assert (again.exit, again.reason) == (0, "build_blocked")
    assert ruff.running() == [old / ruff.program]


def test_a_pawld_that_comes_back_in_time_goes_on_watching_and_calls_the_timer_off(ruff: Serviced) -> None:
    with killed_on_probation(ruff):
        pass
    ruff.configure(probation="2s")
    recovered = ruff.pawld("recover")
    assert (recovered.exit, recovered.agent["installed"]["version"]) == (0, NEW)
    assert ruff.running() == [ruff.slot(NEW) / ruff.program]
    assert TIMER not in ruff.host.run(["systemctl", "list-timers", "--all"]).output


def test_a_pawld_that_is_stopped_and_not_dead_is_gone_back_behind(ruff: Serviced) -> None:
    old = ruff.current()
    with on_probation(ruff, signal.SIGSTOP):
        pass
    assert status(ruff)["state"] == "probation"
    bring_forward(ruff)
    assert eventually(lambda: ruff.running() == [old / ruff.program])
    end_what_is_stopped(ruff)

    assert ruff.pawld("recover").exit == 0
    assert ruff.running() == [old / ruff.program]


def test_the_way_back_needs_no_pawld_and_no_python(ruff: Serviced) -> None:
    old = ruff.current()
    with killed_on_probation(ruff):
        pass
    with hidden(ruff, Path(PAWLD[0]).parent):
        assert not ruff.host.run(ruff.command("status")).ok
        bring_forward(ruff)
        assert eventually(lambda: ruff.running() == [old / ruff.program])
    assert ruff.pawld("recover").exit == 0
    assert ruff.running() == [old / ruff.program]


@pytest.mark.long
def test_a_reboot_takes_the_timer_along_and_the_recovery_at_boot_arms_it_anew(ruff: Serviced) -> None:
    with killed_on_probation(ruff):
        pass
    reboot(ruff)
    assert not armed(ruff)

    old = ruff.slot(OLD)
    with on_probation(ruff, signal.SIGKILL, "recover"):
        assert eventually(lambda: armed(ruff))
    bring_forward(ruff)
    assert eventually(lambda: ruff.running() == [old / ruff.program])


def test_a_commit_calls_the_timer_off(ruff: Serviced) -> None:
    ruff.configure(probation="1s")

    assert ruff.pawld("update").reason == "updated"

    assert not armed(ruff)
    assert not ruff.host.path(f"/run/systemd/transient/{TIMER}").exists()
    assert ruff.running() == [ruff.slot(NEW) / ruff.program]


def armed(ruff: Serviced) -> bool:
    return ruff.host.run(["systemctl", "is-active", TIMER]).output.strip() == "active"


def reboot(ruff: Serviced) -> None:
    """As far as switch and agent know: what was transient is gone, and the agent is started from ``current``."""
    assert ruff.host.run(["systemctl", "stop", TIMER, ruff.unit]).ok
    assert ruff.host.run(["systemctl", "start", ruff.unit]).ok


@contextmanager
def hidden(ruff: Serviced, directory: Path) -> Iterator[None]:
    """Have nothing in *directory*, as far as the host can see."""
    assert ruff.host.run(["mount", "-t", "tmpfs", "tmpfs", str(directory)]).ok
    try:
        yield
    finally:
        assert ruff.host.run(["umount", str(directory)]).ok


def end_what_is_stopped(ruff: Serviced) -> None:
    for state in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(ruff.home / "pawld.toml").encode() in state.read_bytes():
                os.kill(int(state.parent.name), signal.SIGKILL)


def killed_on_probation(ruff: Serviced) -> AbstractContextManager[None]:
    """Begin an update, and kill it, as nothing can be refused, once the new build is on probation."""
    return on_probation(ruff, signal.SIGKILL)


@contextmanager
def on_probation(ruff: Serviced, sent: signal.Signals, command: str = "update") -> Iterator[None]:
    """Begin *command*, and have it get a signal once the new build is on probation."""
    enter = ["nsenter", "-t", str(ruff.host.pid), "-a", "--wd=/"]
    with subprocess.Popen([*enter, *ruff.command(command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as it:
        assert eventually(lambda: status(ruff)["state"] == "probation", 30)
        assert eventually(lambda: ruff.running() == [ruff.slot(NEW) / ruff.program])
        yield
        for child in Path(f"/proc/{it.pid}/task/{it.pid}/children").read_text().split():
            os.kill(int(child), sent)
        if sent is signal.SIGSTOP:
            it.kill()  # nsenter waits for it; what is stopped stays


def bring_forward(ruff: Serviced) -> None:
    """Let an hour pass, as far as the timer is concerned."""
    timer = ruff.host.path(f"/run/systemd/transient/{TIMER}")
    lines = timer.read_text().splitlines()
    assert "OnActiveSec=1h 2min" in lines, lines
    timer.write_text("\n".join(lines).replace("OnActiveSec=1h 2min", "OnActiveSec=1s") + "\n")
    assert ruff.host.run(["systemctl", "daemon-reload"]).ok


def status(ruff: Serviced) -> dict[str, object]:
    return dict(json.loads(ruff.host.run(ruff.command("status")).output)["agents"][0])


def eventually(holds: object, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while not (answer := holds()) and time.monotonic() < end:  # type: ignore[operator]  # any callable
        time.sleep(0.1)
    return bool(answer)
