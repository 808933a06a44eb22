"""pawld keeps itself current as a service of Windows: each version is swapped in, and taken back, by the one before."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.configuration import agent_of
from support.pawld_builds import CRASHING, Form, build, watched
from support.publishing import founded, released, served
from support.windows_host import STATE_DIRECTORY, Host, launcher
from support.wine import WindowsPython, windows_path

from pawld.model import Platform

pytestmark = [pytest.mark.rig("wine_python"), pytest.mark.timeout(600), pytest.mark.long]

UPDATER = f"""
[updater]
check_every = "1d"
state_dir = '{STATE_DIRECTORY}'
"""
SERVICE = rf"""qualify = [
  '{{slot}}\bin\pawld.exe', "--config", '{STATE_DIRECTORY}\pawld.toml', "recover", "--self-test",
]
[agents.pawld.service]
type = "windows"
name = "pawld"
timeout = "15s"
"""
HANGING = "from pawld.system.windows_process import WindowsManager; manager.ready('up'); import time; time.sleep(3600)"
AIMLESS = "import pawld.daemon.loop as loop; loop.Daemon._note = lambda *_: None"  # works, and never says so


@dataclass(frozen=True)
class Self:
    """The host on which pawld is its own agent."""

    host: Host
    home: Path
    form: Form
    url: str

    def configure(self, looks: int = 40) -> None:
        root = windows_path(self.home / "public" / "metadata" / "1.root.json")
        agent = agent_of("pawld", r"C:\pawlds", self.url, root)
        self.host.config.write_text(UPDATER + agent + SERVICE + watched(probation="3s", looks=looks))

    def publish(self, version: str, daemon: str = "") -> None:
        released(self.home, *build(version, daemon, self.form))

    def pawld(self, *words: str) -> dict[str, Any]:
        """Run a command of a pawld that is no slot's, and return what it tells of pawld."""
        words = ("-P", "-m", "pawld", "--config", rf"{STATE_DIRECTORY}\pawld.toml", "--json", *words)
        ended = self.host.python.run(words, limit=timedelta(minutes=2))
        told, _ = json.JSONDecoder().raw_decode(ended.output, ended.output.index("{"))
        return dict(told["agents"][0]) if "agents" in told else dict(told)

    def settled(self, version: str, daemon: str = "") -> str:
        """Publish that version, have the daemon update itself, and return the sentence of how it ended."""
        self.publish(version, daemon)
        before = len(self.history())
        self.pawld("update", "pawld")
        self.host.eventually(lambda: len(self.history()) > before and self.pawld("status")["state"] == "idle")
        self.host.eventually(lambda: self.host.service()[0] == "4")
        return str(self.history()[0]["reason"]["message"])

    def history(self) -> list[dict[str, Any]]:
        return list(self.pawld("history", "pawld").get("events", []))

    def versions(self) -> tuple[str, str]:
        """Return the version that is installed, and the one that the service runs."""
        line = self.host.service()[3]
        return self.pawld("status")["installed"]["version"], line.partition("versions\\")[2].partition("-")[0]


@pytest.fixture(scope="module")
def there(windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Self]:
    """A host on which pawld 1.0.0 was installed by pawld, and runs as a service."""
    place = tmp_path_factory.mktemp("self")
    host, home = Host(windows_python, place), place / "publisher"
    host.config.parent.mkdir(parents=True, exist_ok=True)
    founded(home, products=("pawld",))
    with served(home / "public") as url:
        made = Self(
            host, home, Form(Platform("windows", "x86_64"), "bin/pawld.exe", launcher(windows_python, place)), url
        )
        made.configure()
        made.publish("1.0.0")
        made.pawld("service", "install", "--program", r"C:\pawlds\current\bin\pawld.exe")  # not there to be run yet
        first = made.pawld("update", "--direct")
        assert first["reason"]["code"] == "updated", (first["reason"], host.log.exists() and host.log.read_text())
        yield made
        made.pawld("service", "uninstall")
    subprocess.run(["rm", "-rf", str(host.config.parent), str(host.drive / "pawlds")], check=True)


def test_a_good_version_is_brought_in_by_the_one_before_it(there: Self) -> None:
    assert there.versions() == ("1.0.0", "1.0.0")
    assert there.settled("1.1.0") == "Updated to 1.1.0, which proved itself to 1.0.0."
    assert there.versions() == ("1.1.0", "1.1.0")


@pytest.mark.parametrize(("version", "fault"), [("1.7.0", AIMLESS), ("1.8.0", CRASHING), ("1.9.0", HANGING)])
def test_a_version_that_does_not_reach_its_first_good_cycle_is_taken_back(
    there: Self, version: str, fault: str
) -> None:
    there.configure(looks=3)
    there.host.restart()
    before = there.versions()
    assert f"The host is back on {before[0]}." in there.settled(version, fault)
    assert there.versions() == before
    blocked = [one for one in there.pawld("status")["blocked"] if one["version"] == version]
    assert [one["cause"] for one in blocked] == ["health_failed"]
