"""Both packages on a host with a real systemd: running after one command, gone without a trace."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.systemd import SystemdHost

pytestmark = [
    pytest.mark.rig("systemd"),
    pytest.mark.rig("freezer"),
    pytest.mark.rig("rpm"),
    pytest.mark.timeout(900),
]
CONFIG = "/etc/pawld/pawld.toml"
_CONFIGURED = """
[agents.acme]
root = "/opt/acme"
[agents.acme.source]
type = "manifest"
url = "http://127.0.0.1:9/{channel}.json"
[agents.acme.trust]
type = "pinned_sha256"
version = "1.0.0"
sha256 = { "linux-x86_64" = "0000000000000000000000000000000000000000000000000000000000000000" }
"""
# The rpm lands on a Debian here, whose libraries rpm does not know.
_COMMANDS = {
    "deb": {"install": ["dpkg", "-i"], "remove": ["dpkg", "-r", "pawld"], "purge": ["dpkg", "-P", "pawld"]},
    "rpm": {"install": ["rpm", "-U", "--nodeps"], "remove": ["rpm", "-e", "pawld"], "purge": None},
}


@dataclass
class Installation:
    """The host, and the package that goes onto it."""

    host: SystemdHost
    form: str
    older: Path
    newer: Path

    def do(self, what: str, *arguments: str) -> None:
        command = _COMMANDS[self.form][what]
        if command is not None:
            finished = self.host.run([*command, *arguments])
            assert finished.ok, finished

    def install(self, package: Path) -> None:
        given = self.host.shared / package.name
        shutil.copy(package, given)
        self.do("install", str(given))
        given.unlink()

    def configure(self, text: str = _CONFIGURED) -> None:
        self.host.path("/etc/pawld").mkdir(exist_ok=True)
        self.host.path(CONFIG).write_text(text)

    def asked(self, *words: str) -> str:
        return self.host.run(["systemctl", *words]).output.strip()

    def is_active(self) -> bool:
        end = time.monotonic() + 10
        while self.asked("is-active", "pawld") == "activating" and time.monotonic() < end:
            time.sleep(0.1)
        return self.asked("is-active", "pawld") == "active"

    @property
    def pid(self) -> str:
        return self.asked("show", "--property=MainPID", "--value", "pawld")


@pytest.fixture(params=["deb", "rpm"])
def pawld(
    request: pytest.FixtureRequest, systemd_host: SystemdHost, linux_packages: dict[str, list[Path]]
) -> Iterator[Installation]:
    older, newer, _ = linux_packages[request.param]
    made = Installation(systemd_host, request.param, older, newer)
    yield made
    systemd_host.run(_COMMANDS[request.param]["remove"] or [])
    made.do("purge")
    systemd_host.run(["rm", "-rf", "/etc/pawld", "/var/lib/pawld"])


def test_two_builds_of_a_package_have_the_same_bytes(linux_packages: dict[str, list[Path]]) -> None:
    for older, _, again in linux_packages.values():
        assert older.read_bytes() == again.read_bytes()


def test_a_host_that_is_configured_runs_it_after_one_command(pawld: Installation) -> None:
    pawld.configure()
    pawld.install(pawld.older)
    assert pawld.is_active(), pawld.host.run(["journalctl", "-u", "pawld", "--no-pager"]).output
    assert pawld.asked("is-enabled", "pawld") == "enabled"
    assert pawld.asked("is-enabled", "pawld-recover") == "enabled"
    assert pawld.host.run(["pawld", "--version"]).output.startswith("pawld ")


def test_without_a_configuration_it_waits_for_one(pawld: Installation) -> None:
    pawld.install(pawld.older)
    assert (pawld.asked("is-enabled", "pawld"), pawld.asked("is-active", "pawld")) == ("enabled", "inactive")
    assert pawld.asked("is-failed", "pawld") != "failed"
    pawld.configure()
    assert pawld.host.run(["systemctl", "start", "pawld"]).ok
    assert pawld.is_active()


def test_an_upgrade_keeps_the_configuration_and_starts_the_new_one(pawld: Installation) -> None:
    pawld.configure(text := f"# mine\n{_CONFIGURED}")
    pawld.install(pawld.older)
    before = pawld.pid
    assert before != "0"

    pawld.install(pawld.newer)

    assert pawld.host.path(CONFIG).read_text() == text
    assert pawld.is_active()
    assert pawld.pid not in ("0", before)


def test_what_an_administrator_disabled_stays_so_through_an_upgrade(pawld: Installation) -> None:
    pawld.configure()
    pawld.install(pawld.older)
    assert pawld.host.run(["systemctl", "disable", "--now", "pawld"]).ok
    pawld.install(pawld.newer)
    assert (pawld.asked("is-enabled", "pawld"), pawld.asked("is-active", "pawld")) == ("disabled", "inactive")


def test_removal_leaves_what_is_the_administrators_and_nothing_else(pawld: Installation) -> None:
    pawld.configure()
    pawld.install(pawld.older)
    assert pawld.is_active()

    pawld.do("remove")

    assert pawld.asked("is-active", "pawld") != "active"
    for gone in ("/usr/lib/pawld", "/usr/bin/pawld", "/usr/lib/systemd/system/pawld.service"):
        assert not pawld.host.path(gone).exists()
    assert not list(pawld.host.path("/etc/systemd/system").rglob("pawld*"))
    assert pawld.host.path(CONFIG).read_text() == _CONFIGURED
    pawld.do("purge")
    assert pawld.host.path("/var/lib/pawld").exists() == (pawld.form == "rpm")
