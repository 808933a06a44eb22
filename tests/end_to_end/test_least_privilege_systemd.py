"""Under its own hardened unit, with the user of its own package: root hands over, and keeps what it installs with."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.pawld_host import PAWLD, PawldHost, pawld_host
from support.systemd import SystemdHost
from support.walls import ARCHIVE, HTTP, children

from pawld.system.walls.child import still_held

pytestmark = [pytest.mark.rig("systemd"), pytest.mark.long]

SYSUSERS = Path(__file__).parent.parent.parent / "systemd" / "pawld.sysusers"


@pytest.fixture(scope="module")
def there(systemd_host: SystemdHost) -> Iterator[PawldHost]:
    """A host with one release of the agent and the package's user, where pawld runs as a service."""
    home = systemd_host.shared / "walls"
    home.mkdir()
    systemd_host.path("/run/pawld.sysusers").write_bytes(SYSUSERS.read_bytes())
    make_user(systemd_host)
    try:
        with pawld_host(systemd_host, home) as prepared:
            prepared.release()
            assert prepared.pawld("service", "install", "--program", PAWLD).ok
            yield prepared
    finally:
        systemd_host.run(["userdel", "pawld"])


def make_user(host: SystemdHost) -> None:
    assert host.run(["systemd-sysusers", "/run/pawld.sysusers"]).ok


def test_the_hardened_unit_updates_with_everything_read_by_its_own_user(there: PawldHost) -> None:
    uid, gid = (int(there.host.run(["id", option, "pawld"]).output) for option in ("-u", "-g"))
    assert uid != 0
    assert there.ask("update")["state"] == "idle"
    version = there.release()
    there.pace(0.05)
    answers: list[str] = []
    update = threading.Thread(target=lambda: answers.append(there.ask("update")["reason"]["code"]))
    update.start()
    seen: dict[str, set[str]] = {}
    while update.is_alive():
        for pid, module in children().items():
            held = still_held(Path(f"/proc/{pid}/status"), uid, gid)
            if not held.startswith("a status"):
                seen.setdefault(module, set()).add(held)
        time.sleep(0.005)
    assert answers == ["updated"], there.log()
    assert there.ask("status")["installed"]["version"] == version
    assert "" in seen[HTTP], seen
    assert "" in seen[ARCHIVE], seen
    owners = there.host.run(["find", "/opt/acme", "-not", "-user", "root"])
    assert (owners.ok, owners.output) == (True, "")


def test_its_doctor_says_so_and_warns_of_a_host_without_the_user(there: PawldHost) -> None:
    assert "read by the user pawld, who may do nothing else" in told(there)
    assert there.host.run(["userdel", "pawld"]).ok
    said = told(there)
    make_user(there.host)
    assert "by the process that also installs it: this host has no user pawld" in said
    assert "useradd --system" in said


def told(host: PawldHost) -> str:
    finished = host.pawld("doctor")
    return finished.output + finished.errors
