"""The sleeper that is a process of its own: it knows the agent by the state alone, and goes back at its deadline."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support.configuration import loaded
from support.slots import an_installer, archive
from support.verified import Quiet
from support.world import FakeClock

from pawld.cli.main import main
from pawld.model import Slot
from pawld.service.deadman import Companion
from pawld.settings import Settings
from pawld.system.walls.child import FROZEN
from pawld.wiring.host import opened_for_change
from pawld.wiring.noted import remember
from pawld.wiring.way_back import watch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its commands are a shell's; Wine shows it otherwise")

CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.acme]
root = "{home}/opt"
source = {{ type = "tuf" }}
trust = {{ type = "tuf", metadata_url = "http://127.0.0.1:9/metadata", root_file = "{home}/root.json" }}
[agents.acme.service]
type = "command"
start = ["sh", "-c", "echo {{version}} > {home}/running"]
stop = ["rm", "{home}/running"]
is_running = ["test", "-e", "{home}/running"]
"""
UPDATER = """
import json, sys, time
from datetime import timedelta
from pathlib import Path
from pawld.service.deadman import Companion
home = Path(sys.argv[1])
about = {"agent": "acme", "root": str(home / "opt"), "state": str(home / "state")}
sleeper = Companion(home / "state/deadman/acme", [sys.executable, "-P", "-m", "pawld.wiring.way_back"], about)
sleeper.arm(timedelta(seconds=1), json.loads(sys.argv[2]))
print("armed", flush=True)
time.sleep(60)
"""


@pytest.fixture
def slots(tmp_path: Path) -> list[Slot]:
    """Two slots; the newer one is current, and runs."""
    installer = an_installer(tmp_path / "opt")
    made = [installer.stage(archive(version, number), Quiet()) for number, version in enumerate(("1.0.0", "2.0.0"))]
    installer.activate(made[1])
    (tmp_path / "running").write_text("2.0.0\n")
    return made


@pytest.fixture
def settings(tmp_path: Path, slots: list[Slot]) -> Settings:
    """The configuration, which the state has taken a note of."""
    known = loaded(tmp_path, CONFIG.format(home=tmp_path))
    with opened_for_change(known) as host:
        remember(host.ledger("acme"), known.agents["acme"])
    return known


def back_to(root: Path, slot: Slot) -> list[str]:
    return list(an_installer(root).pointing_command(slot))


def order(home: Path, slot: Slot, seconds: float) -> Path:
    """Write the token that a sleeper is started beside."""
    about = {"agent": "acme", "root": str(home / "opt"), "state": str(home / "state")}
    Companion(home / "token", ["true"], about).arm(timedelta(seconds=seconds), back_to(home / "opt", slot))
    return home / "token"


def test_at_the_deadline_the_agent_is_stopped_pointed_back_and_started(
    tmp_path: Path, slots: list[Slot], settings: Settings
) -> None:
    clock = FakeClock()
    assert watch(order(tmp_path, slots[0], 240), clock)
    assert clock.ticks == 240.0
    assert (tmp_path / "running").read_text() == "1.0.0\n"
    assert an_installer(tmp_path / "opt").current() == slots[0]
    assert not (tmp_path / "token").exists()


def test_one_whose_token_is_gone_or_anothers_does_nothing(
    tmp_path: Path, slots: list[Slot], settings: Settings
) -> None:
    clock, token = FakeClock(), order(tmp_path, slots[0], 240)
    meant = json.loads(token.read_text())
    clock.on_sleep = lambda: token.write_text(json.dumps({**meant, "word": "another"})) and None
    assert not watch(token, clock)
    assert (tmp_path / "running").read_text() == "2.0.0\n"
    assert token.exists(), "that one is not ours to remove"


def test_it_goes_back_though_the_updater_and_its_whole_group_were_killed(
    tmp_path: Path, slots: list[Slot], settings: Settings
) -> None:
    words = [sys.executable, "-c", UPDATER, str(tmp_path), json.dumps(back_to(tmp_path / "opt", slots[0]))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True) as updater:
        assert updater.stdout is not None
        assert updater.stdout.readline() == b"armed\n"
        os.killpg(updater.pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while not (tmp_path / "running").exists() or (tmp_path / "running").read_text() != "1.0.0\n":
        assert time.monotonic() < end, "it never went back"
        time.sleep(0.05)
    assert an_installer(tmp_path / "opt").current() == slots[0]


def test_a_frozen_pawld_is_it_by_its_own_word(tmp_path: Path, slots: list[Slot], settings: Settings) -> None:
    assert main([FROZEN, "pawld.wiring.way_back", str(order(tmp_path, slots[0], 0))]) == 0
    assert (tmp_path / "running").read_text() == "1.0.0\n"
