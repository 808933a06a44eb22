"""Two real consecutive releases of a real native program, through nginx and a 302, under a real systemd."""

from collections.abc import Iterator

import pytest
from support.real_releases import NEW, OLD
from support.serviced import Serviced, serviced
from support.systemd import SystemdHost

pytestmark = [pytest.mark.rig("systemd"), pytest.mark.rig("nginx"), pytest.mark.rig("real_releases")]


@pytest.fixture
def form() -> str:
    return "directory"


@pytest.fixture
def ruff(form: str, systemd_host: SystemdHost) -> Iterator[Serviced]:
    with serviced(systemd_host, form=form) as agent:
        yield agent


@pytest.mark.parametrize("form", ["directory", "file"])
def test_a_real_program_is_installed_updated_and_taken_back_under_systemd(ruff: Serviced) -> None:
    ruff.release(OLD)
    assert ruff.pawld("update").exit == 0
    old = ruff.current()
    assert ruff.running() == [old / ruff.program]

    ruff.release(NEW)
    assert ruff.pawld("check").exit == 100
    assert ruff.running() == [old / ruff.program]

    updated = ruff.pawld("update")
    assert (updated.exit, updated.reason) == (0, "updated")
    new = ruff.current()
    assert (new.name.partition("-")[0], old.exists()) == (NEW, True)
    assert ruff.running() == [new / ruff.program]
    assert ruff.said_version() == f"ruff {NEW}"

    again = ruff.pawld("update")
    assert (again.exit, again.reason) == (0, "up_to_date")
    assert ruff.running() == [new / ruff.program]

    back = ruff.pawld("rollback")
    assert (back.exit, back.reason) == (0, "operator_rollback")
    assert ruff.current() == old
    assert ruff.running() == [old / ruff.program]
    assert [(one["version"], one["cause"]) for one in back.agent["blocked"]] == [(NEW, "operator_block")]

    refused = ruff.pawld("update")
    assert (refused.exit, refused.reason) == (0, "build_blocked")
    assert ruff.running() == [old / ruff.program]


def test_the_status_the_history_and_the_vendors_log_tell_the_same_story(ruff: Serviced) -> None:
    for version in (OLD, NEW):
        ruff.release(version)
        assert ruff.pawld("update").exit == 0
    told = ruff.pawld("status").agent
    slots = [ruff.slot(version).name for version in (OLD, NEW)]
    assert (told["installed"]["version"], told["installed"]["sha256"]) == (NEW, ruff.digest(NEW))
    assert told["wanted"] == {"version": NEW, "sha256": ruff.digest(NEW), "sequence": told["wanted"]["sequence"]}
    assert (told["platform"], told["state"], sorted(told["slots"])) == ("linux-x86_64", "idle", slots)
    events = ruff.history()
    assert [one["state"] for one in events if one["version"] == NEW][::-1][:2] == ["downloading", "staging"]
    assert events[0]["reason"]["code"] == "updated"
    front, content = ruff.site.ports.interface, ruff.site.ports.content
    asked = ruff.site.requests()
    assert any(f"/v2/agent-releases/{NEW}/download" in one and " 302 " in one for one in asked)
    assert not any("/latest/download" in one for one in asked)
    assert all("auth=Bearer" in one for one in asked if one.startswith(str(front)))
    assert all("auth=-" in one for one in asked if one.startswith(str(content)))
    assert {one.split('"')[2].split()[0] for one in asked if one.startswith(str(content))} == {"200"}


def test_a_service_that_the_administrator_stopped_is_updated_and_left_stopped(ruff: Serviced) -> None:
    ruff.release(OLD)
    assert ruff.pawld("update").exit == 0
    assert ruff.host.run(["systemctl", "stop", ruff.unit]).ok
    ruff.release(NEW)
    updated = ruff.pawld("update")
    assert (updated.exit, updated.agent["installed"]["version"]) == (0, NEW)
    assert ruff.running() == []
    assert sorted(one.name for one in ruff.root.iterdir()) == [".pawld", "current", "versions"]
