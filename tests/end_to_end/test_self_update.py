"""pawld keeps itself current: each version is swapped in by the one before it, and taken back by it where it fails."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from support.configuration import agent_of
from support.pawld_builds import CRASHING, HANGING, build, watched
from support.pawld_host import PORT, PawldHost, pawld_host
from support.systemd import SystemdHost

pytestmark = [pytest.mark.rig("systemd"), pytest.mark.timeout(300)]

PROGRAM = "/opt/pawld/current/bin/pawld"
_SELF = agent_of("pawld", "/opt/pawld", f"http://127.0.0.1:{PORT}", "/etc/pawld/root.json")
_SELF += """qualify = ["{slot}/bin/pawld", "recover", "--self-test"]
[agents.pawld.service]
type = "systemd"
unit = "pawld.service"
timeout = "20s"
"""
SELF = _SELF + watched(probation="3s", looks=30)  # a busy machine may take its time to the first good cycle
STRICT = _SELF + watched(probation="3s", looks=3)  # for builds that never get there
SLOW = _SELF + watched(probation="8s", looks=30)  # time enough to be interrupted in
BACK = '[agents.pawld.pin]\ntype = "fixed"\nversion = "1.1.0"\nallow_downgrade = true\n'


@pytest.fixture(scope="module")
def there(systemd_host: SystemdHost) -> Iterator[PawldHost]:
    """A host on which pawld 1.0.0 was installed by pawld, and runs beside an agent."""
    home = systemd_host.shared / "self"
    home.mkdir()
    with pawld_host(systemd_host, home) as prepared:
        prepared.configure(SELF)
        prepared.release()
        prepared.publish(*build("1.0.0"))
        assert prepared.pawld("service", "install", "--program", PROGRAM).code == 75, "it is not there to be run yet"
        prepared.drop_in("pawld.service", "[Service]\nRestartSec=100ms\n")
        first = prepared.ask("update", "pawld")
        assert first["reason"]["code"] == "updated", (first, prepared.log())
        assert prepared.property("ActiveState") == "active"
        yield prepared
    subprocess.run(["rm", "-rf", str(home)], check=True)


def swapped(there: PawldHost, version: str, daemon: str = "") -> str:
    """Publish pawld as *version*, let the daemon update itself, and return the sentence of how it ended."""
    there.publish(*build(version, daemon))
    return settled(there)


def settled(there: PawldHost) -> str:
    """Let the running daemon look after itself; the swap ends it, so the outcome is read afterwards."""
    there.host.run([PROGRAM, "update", "pawld"])
    there.eventually(lambda: there.property("ActiveState", "pawld-self-pawld.service") == "inactive", 90)
    there.eventually(lambda: there.ask("status", "pawld")["state"] == "idle", 90)
    there.eventually(lambda: there.property("ActiveState") == "active")
    return str(history(there)["reason"]["message"])


def history(there: PawldHost) -> dict[str, Any]:
    """Return what happened last."""
    told = json.loads(there.pawld("--json", "history", "pawld", "--limit", "1").output)
    return dict(told["events"][0])


def versions(there: PawldHost) -> tuple[str, str]:
    """Return the version that is installed, and the one that runs."""
    hello = there.host.run([PROGRAM, "--version"]).output.split()[-1]
    return there.ask("status", "pawld")["installed"]["version"], hello


def test_each_version_is_brought_in_by_the_one_before_it(there: PawldHost) -> None:
    assert swapped(there, "1.1.0") == "Updated to 1.1.0, which proved itself to 1.0.0."
    assert versions(there) == ("1.1.0", "1.1.0")
    assert swapped(there, "1.2.0") == "Updated to 1.2.0, which proved itself to 1.1.0."
    assert versions(there) == ("1.2.0", "1.2.0")
    there.configure(SELF + BACK)
    assert there.host.run(["systemctl", "reload", "pawld"]).ok
    there.eventually(lambda: "looks at" in there.property("StatusText"))
    assert settled(there) == "Updated to 1.1.0, which proved itself to 1.2.0."
    assert versions(there) == ("1.1.0", "1.1.0")
    there.configure(SELF)
    assert there.ask("update", "acme")["reason"]["code"] in ("updated", "up_to_date"), "and it still does its work"


@pytest.mark.parametrize(("version", "fault"), [("1.8.0", CRASHING), ("1.9.0", HANGING)])
def test_a_version_that_does_not_reach_its_first_good_cycle_is_taken_back(
    there: PawldHost, version: str, fault: str
) -> None:
    there.configure(STRICT)
    there.host.run(["systemctl", "restart", "pawld"])
    before = versions(there)
    assert f"The host is back on {before[0]}." in swapped(there, version, fault)
    assert versions(there) == before
    blocked = there.ask("status", "pawld")["blocked"]
    assert [(one["version"], one["cause"]) for one in blocked if one["version"] == version] == [
        (version, "health_failed")
    ]


def test_whoever_finds_a_swap_of_pawld_interrupted_hands_it_to_the_version_that_was_left(there: PawldHost) -> None:
    there.configure(SLOW)
    there.host.run(["systemctl", "restart", "pawld"])
    old = versions(there)[0]
    there.publish(*build("2.0.0"))
    there.host.run(["systemd-run", "--quiet", "--collect", "--no-block", "--", PROGRAM, "update", "pawld"])
    there.eventually(lambda: there.ask("status", "pawld")["state"] == "probation", 60)
    there.host.run(["systemctl", "kill", "--signal=KILL", "pawld-self-pawld"])
    there.eventually(lambda: there.property("ActiveState", "pawld-self-pawld.service") == "inactive")
    assert there.host.run(["systemctl", "restart", "pawld"]).ok
    there.eventually(lambda: there.ask("status", "pawld")["state"] == "idle", 90)
    assert history(there)["reason"]["message"].endswith(f"proved itself to {old}.")
    assert versions(there) == ("2.0.0", "2.0.0")
