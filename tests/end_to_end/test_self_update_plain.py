"""pawld keeps itself current on a host without a service manager: from a console, by the version that is left."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import PAWLD
from support.configuration import agent_of
from support.pawld_builds import CRASHING, HANGING, build, watched
from support.publishing import founded, released, served

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

UPDATER = """
[updater]
check_every = "1d"
state_dir = "{home}/state"
"""
SERVICE = """qualify = ["{{slot}}/bin/pawld", "--config", "{home}/pawld.toml", "recover", "--self-test"]
[agents.pawld.service]
type = "command"
start = ["sh", "-c", "{{slot}}/bin/pawld --config {home}/pawld.toml run & echo $! > {home}/pid"]
stop = ["sh", "{home}/stop"]
is_running = ["sh", "-c", "kill -0 $(cat {home}/pid)"]
timeout = "20s"
"""
STOP = """
kill $(cat {home}/pid)
for look in 1 2 3 4 5 6 7 8 9; do
  sleep 0.3
  kill -0 $(cat {home}/pid) || exit 0
done
kill -9 $(cat {home}/pid)
"""


class Plain:
    """The host, whose pawld is a program that somebody started."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self._url = home, url
        (home / "stop").write_text(STOP.format(home=home))

    def configure(self, looks: int) -> None:
        root_file = self.home / "publisher/public/metadata/1.root.json"
        agent = agent_of("pawld", self.home / "opt", self._url, root_file)
        text = UPDATER.format(home=self.home) + agent + SERVICE.format(home=self.home)
        (self.home / "pawld.toml").write_text(text + watched(probation="2s", looks=looks))

    def publish(self, version: str, daemon: str = "") -> None:
        released(self.home / "publisher", *build(version, daemon))

    def run(self, *words: str, program: list[str] | None = None) -> dict[str, Any]:
        command = [*(program or [str(self.home / "opt/current/bin/pawld")]), "--config", str(self.home / "pawld.toml")]
        ended = subprocess.run([*command, "--json", *words], capture_output=True, check=False, timeout=200)
        return dict(json.loads(ended.stdout)["agents"][0])

    def runs(self) -> bool:
        return subprocess.run(["sh", "-c", f"kill -0 $(cat {self.home}/pid)"], check=False).returncode == 0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Plain]:
    founded(tmp_path / "publisher", products=("pawld",))
    with served(tmp_path / "publisher" / "public") as url:
        made = Plain(tmp_path, url)
        made.configure(looks=40)
        made.publish("1.0.0")
        first = made.run("update", "--direct", program=list(PAWLD))
        assert first["reason"]["code"] == "updated", first["reason"]
        yield made
        subprocess.run(["sh", "-c", f"kill -9 $(cat {tmp_path}/pid)"], check=False)


@pytest.mark.parametrize("fault", [CRASHING, HANGING])
def test_a_good_version_stays_and_one_without_a_good_cycle_is_taken_back(host: Plain, fault: str) -> None:
    host.publish("1.1.0")
    updated = host.run("update", "pawld", "--direct")
    assert updated["reason"]["message"] == "Updated to 1.1.0, which proved itself to 1.0.0."
    host.configure(looks=4)
    host.publish("1.2.0", fault)

    sick = host.run("update", "pawld", "--direct")

    assert sick["reason"]["code"] == "rolled_back", sick["reason"]
    assert sick["reason"]["message"].endswith("The host is back on 1.1.0.")
    assert (sick["installed"]["version"], host.runs()) == ("1.1.0", True)
