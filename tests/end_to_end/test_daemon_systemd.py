"""pawld as a service of a real systemd: ready, watched, stopped anywhere, recovered at boot, and quiet in its walls."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pawld_host import CONFIG, PAWLD, UNIT, PawldHost, pawld_host
from support.systemd import SystemdHost

pytestmark = pytest.mark.rig("systemd")

UNITS = Path(__file__).parent.parent.parent / "systemd"


@pytest.fixture(scope="module")
def there(systemd_host: SystemdHost) -> Iterator[PawldHost]:
    """A host with one release of the agent, and pawld not registered yet."""
    home = systemd_host.shared / "daemon"
    home.mkdir()
    with pawld_host(systemd_host, home) as prepared:
        prepared.release()
        yield prepared
    subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.fixture
def running(there: PawldHost) -> Iterator[PawldHost]:
    """The newest release is installed and runs; pawld runs."""
    there.host.run(["systemctl", "reset-failed", "pawld"])
    if there.property("ActiveState") != "active":
        installed = there.pawld("service", "install", "--program", PAWLD)
        assert installed.ok, (installed, there.log())
    assert there.ask("update")["state"] == "idle"
    yield there
    there.configure()
    there.pace(0)


@pytest.mark.parametrize("unit", ["pawld.service", "pawld-recover.service", "pawld-once.service"])
def test_the_units_are_walled_in(unit: str) -> None:
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(UNITS / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout


def test_from_a_timer_one_cycle_runs_and_ends(there: PawldHost) -> None:
    assert there.pawld("service", "install", "--program", PAWLD, "--timer").ok
    names = ("pawld.service", "pawld-recover.service", "pawld-once.service", "pawld.timer")
    verified = there.host.run(["systemd-analyze", "verify", *(f"/etc/systemd/system/{name}" for name in names)])
    assert [line for line in verified.errors.splitlines() if "pawld" in line and "man" not in line] == []
    assert there.property("ActiveState", "pawld.timer") == "active"
    assert there.host.run(["systemctl", "start", "pawld-once"]).ok, there.log("pawld-once")
    assert there.ask("status")["installed"]["version"] == "1.1.0"
    assert there.pawld("service", "uninstall").ok
    assert not there.host.path("/etc/systemd/system/pawld.timer").exists()
    assert there.property("ActiveState", UNIT) == "active"


def test_from_one_file_and_one_command_to_the_first_update(running: PawldHost) -> None:
    assert running.property("ActiveState") == "active"
    assert running.property("UnitFileState") == "enabled"
    assert running.property("MainPID", UNIT) != "0"
    assert running.eventually(lambda: "looks at acme next" in running.property("StatusText"))
    assert running.ask("status")["next_check"] is not None
    assert running.pawld("service", "status").ok


def test_an_agent_is_updated_and_a_sick_one_is_taken_back_inside_the_walls(running: PawldHost) -> None:
    good = running.release()
    assert running.ask("update")["reason"]["code"] == "updated"
    first = running.property("MainPID", UNIT)
    sick = running.release(healthy=False)
    taken_back = running.ask("update")
    assert taken_back["reason"]["code"] == "rolled_back"
    assert taken_back["installed"]["version"] == good
    assert running.property("ActiveState", UNIT) == "active"
    assert running.property("MainPID", UNIT) != first
    evidence = running.host.path("/var/lib/pawld/evidence/acme").glob(f"{sick}-*/*-findings.txt")
    assert "sick" in next(evidence).read_text()
    found = running.host.run(["journalctl", "--output=json", "PAWLD_REASON=rolled_back", "PAWLD_AGENT=acme"])
    entry = json.loads(found.output.splitlines()[-1])
    assert (entry["PAWLD_VERSION"], entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == (sick, "3", "pawld")


def test_a_daemon_that_hangs_is_killed_and_started_anew(running: PawldHost) -> None:
    running.drop_in("pawld.service", "[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
    assert running.host.run(["systemctl", "restart", "pawld"]).ok
    before = running.property("MainPID")
    assert running.host.run(["sleep", "3"]).ok
    assert running.property("MainPID") == before, "one that lives is left alone"
    assert running.host.run(["kill", "-STOP", before]).ok
    assert running.eventually(lambda: running.property("NRestarts") == "1")
    assert running.eventually(lambda: running.property("ActiveState") == "active")
    assert running.property("MainPID") != before
    running.host.path("/etc/systemd/system/pawld.service.d/50-test.conf").unlink()
    assert running.host.run(["systemctl", "daemon-reload"]).ok


def test_a_bad_configuration_changes_nothing_and_the_status_says_so(running: PawldHost) -> None:
    running.configure("[agents.acme.gates]\n")
    assert running.host.run(["systemctl", "reload", "pawld"]).ok
    assert running.eventually(lambda: "BAD CONFIGURATION" in running.property("StatusText"))
    running.release()
    assert running.ask("update", "--config", "/var/lib/pawld/running/pawld.toml")["reason"]["code"] == "updated"
    running.configure()
    assert running.host.run(["systemctl", "reload", "pawld"]).ok
    assert running.eventually(lambda: "BAD" not in running.property("StatusText"))


def test_a_configuration_that_is_bad_at_the_start_is_not_tried_again_and_again(running: PawldHost) -> None:
    running.configure("[agents.acme.gates]\n")
    assert running.pawld("service", "install", "--program", PAWLD).code == 78
    running.host.run(["systemctl", "restart", "pawld"])
    assert running.eventually(lambda: running.property("ActiveState") == "failed")
    assert (running.property("NRestarts"), running.property("ExecMainStatus")) == ("0", "78")
    running.host.run(["systemctl", "reset-failed"])


def begin_update(running: PawldHost) -> None:
    """Have the daemon begin a cycle, and do not wait for its end."""
    unit = ["systemd-run", "--quiet", "--collect", "--no-block", "--", PAWLD, "update"]
    assert running.host.run(unit).ok


def stop_and_start(running: PawldHost, state: str) -> None:
    """Stop pawld while the agent is in *state*, see that the agent runs, and start pawld again."""
    running.eventually(lambda: running.state() == state)
    assert running.host.run(["systemctl", "stop", "pawld"]).ok
    assert running.property("Result") == "success", running.log()
    assert running.property("ActiveState", UNIT) == "active"
    running.host.run(["systemctl", "reset-failed", "pawld"])  # so many starts would be too many in earnest
    assert running.host.run(["systemctl", "start", "pawld"]).ok


def test_stopped_in_the_middle_of_a_download_it_goes_on_where_it_was(running: PawldHost) -> None:
    version = running.release()
    running.pace(0.4)
    begin_update(running)
    running.eventually(lambda: running.state() in ("downloading", "staging"))
    assert running.host.run(["systemctl", "stop", "pawld"]).ok
    assert running.ask("status")["reason"]["code"] == "interrupted"
    assert list(running.host.path("/opt/acme/.pawld").glob("*.unverified"))
    running.pace(0)
    assert running.host.run(["systemctl", "start", "pawld"]).ok
    assert running.ask("update")["installed"]["version"] == version


def test_stopped_at_a_closed_gate_it_waits_on_at_the_next_start(running: PawldHost) -> None:
    running.configure('[[agents.acme.gates]]\ntype = "busy"\nlock_file = "/run/busy"\n')
    assert running.host.run(["systemctl", "restart", "pawld"]).ok
    running.host.path("/run/busy").touch()
    version = running.release()
    begin_update(running)
    stop_and_start(running, "waiting")
    assert running.state() == "waiting"
    running.host.path("/run/busy").unlink()
    assert running.ask("update")["installed"]["version"] == version


def test_stopped_on_probation_it_watches_on_at_the_next_start_and_no_start_is_counted(running: PawldHost) -> None:
    running.configure(text=CONFIG.replace('"2s"', '"6s"'))
    assert running.host.run(["systemctl", "restart", "pawld"]).ok
    version = running.release()
    begin_update(running)
    for _ in range(4):  # more often than an interrupted probation is given starts
        stop_and_start(running, "probation")
    running.eventually(lambda: running.state() == "idle")
    seen = running.ask("status")
    assert seen["installed"]["version"] == version
    assert version not in [one["version"] for one in seen["blocked"]]


def test_what_the_power_cut_off_is_settled_at_boot(running: PawldHost) -> None:
    good = running.ask("status")["installed"]["version"]
    running.release(healthy=False)
    begin_update(running)
    running.eventually(lambda: running.state() == "probation")
    running.host.run(["systemctl", "kill", "--signal=KILL", "pawld"])
    running.host.run(["systemctl", "stop", "pawld", "pawld-recover"])
    assert running.host.run(["systemctl", "start", "pawld-recover"]).ok
    seen = running.ask("status")
    assert (seen["state"], seen["installed"]["version"]) == ("idle", good)
    assert running.property("ActiveState", UNIT) == "active"


def test_a_secret_comes_as_a_credential_that_only_the_service_has(running: PawldHost) -> None:
    secret = running.host.path("/etc/pawld/token")
    secret.write_text("very secret")
    secret.chmod(0o600)
    running.configure('[report]\nwebhook_url = "http://127.0.0.1:8099/hook"\nwebhook_token_credential = "hook"\n')
    running.drop_in("pawld.service", "[Service]\nLoadCredential=hook:/etc/pawld/token\n")
    assert running.host.run(["systemctl", "restart", "pawld"]).ok
    running.release()
    assert running.ask("update")["reason"]["code"] == "updated"
    log = running.log()
    assert "very secret" not in log
    assert "The webhook http://127.0.0.1:8099/hook answered 501" in log, "the server takes no posts, but was asked"
