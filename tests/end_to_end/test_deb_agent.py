"""An agent that is a Debian package, kept current by `pawld update` on a host with a real systemd and a real dpkg."""

from collections.abc import Iterator

import pytest
from support.deb_agent import DebAgent, deb_agent
from support.systemd import SystemdHost

pytestmark = [pytest.mark.rig("systemd"), pytest.mark.rig("nginx"), pytest.mark.rig("dpkg")]

# As pawld's own unit has it: nothing of the system can be written, so dpkg has to run elsewhere.
_WALLED = ("systemd-run", "--quiet", "--wait", "--pipe", "--collect", "--property=ProtectSystem=full", "--")


@pytest.fixture
def acme(systemd_host: SystemdHost) -> Iterator[DebAgent]:
    with deb_agent(systemd_host) as agent:
        yield agent


def test_a_package_is_updated_and_a_sick_one_is_taken_back_by_the_package_that_was_kept(acme: DebAgent) -> None:
    acme.release("1.0.0")
    begun = acme.pawld("update")
    assert (begun.exit, begun.reason) == (0, "updated"), begun.agent
    assert (acme.installed(), acme.running()) == ("installed 1.0.0", "active 1.0.0")
    configuration = acme.host.path("/etc/acme-deb.conf")
    configuration.write_text("# the administrator's\n")
    first = acme.pid()

    acme.release("1.1.0")
    updated = acme.pawld("update", before=_WALLED)
    assert (updated.exit, updated.reason) == (0, "updated")
    assert (acme.installed(), acme.running()) == ("installed 1.1.0", "active 1.1.0")
    assert acme.pid() not in ("0", first)

    acme.release("1.2.0", health="exit 1")
    sick = acme.pawld("update", before=_WALLED)
    assert (sick.exit, sick.reason) == (3, "rolled_back"), sick.agent
    assert (acme.installed(), acme.running()) == ("installed 1.1.0", "active 1.1.0")
    assert configuration.read_text() == "# the administrator's\n"
    status = acme.pawld("status").agent
    assert (status["state"], status["installed"]["version"]) == ("idle", "1.1.0")
    assert [(one["version"], one["cause"]) for one in status["blocked"]] == [("1.2.0", "health_failed")]

    acme.pawld("update")
    assert (acme.installed(), acme.running()) == ("installed 1.1.0", "active 1.1.0"), "it is not tried again"
