"""pawld keeps itself current on a host without a service manager: from a console, by the version that is left."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import PAWLD
from support.pawld_builds import CRASHING, HANGING, build
from support.publishing import SINGLE, StillClock, reopened, served, unlock

from pawld.publish.ingest import ingest
from pawld.publish.plan import Plan
from pawld.publish.publication import publish
from pawld.publish.release import PLAIN
from pawld.publish.setup import Founding, found

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

CONFIG = """
[updater]
check_every = "1d"
state_dir = "{home}/state"
[agents.pawld]
root = "{home}/opt"
[agents.pawld.source]
type = "tuf"
[agents.pawld.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{home}/publisher/public/metadata/1.root.json"
[agents.pawld.install]
type = "directory"
reserve = "1MiB"
qualify = ["{{slot}}/bin/pawld", "--config", "{home}/pawld.toml", "recover", "--self-test"]
[agents.pawld.service]
type = "command"
start = ["sh", "-c", "{{slot}}/bin/pawld --config {home}/pawld.toml run & echo $! > {home}/pid"]
stop = ["sh", "{home}/stop"]
is_running = ["sh", "-c", "kill -0 $(cat {home}/pid)"]
timeout = "20s"
[agents.pawld.health]
probation = "2s"
failures = {looks}
among = {looks}
checks = [{{ type = "service", every = "1s" }}, {{ type = "updater", every = "1s" }}]
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
        (self.home / "pawld.toml").write_text(CONFIG.format(home=self.home, url=self._url, looks=looks))

    def publish(self, version: str, daemon: str = "") -> None:
        publisher = reopened(self.home / "publisher")
        incoming, data = build(version, daemon)
        ingest(publisher, incoming, [data], "stable", PLAIN)
        publish(publisher)

    def run(self, *words: str, program: list[str] | None = None) -> dict[str, Any]:
        command = [*(program or [str(self.home / "opt/current/bin/pawld")]), "--config", str(self.home / "pawld.toml")]
        ended = subprocess.run([*command, "--json", *words], capture_output=True, check=False, timeout=200)
        return dict(json.loads(ended.stdout)["agents"][0])

    def runs(self) -> bool:
        return subprocess.run(["sh", "-c", f"kill -0 $(cat {self.home}/pid)"], check=False).returncode == 0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Plain]:
    founding = Founding(Plan(("pawld",), ("stable", "beta"), "stable"), SINGLE)
    found(tmp_path / "publisher", founding, unlock, StillClock())
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
