"""Scripts find the running version by its agent's name, where there is a link and where there is none."""

import json
import sys
from pathlib import Path

import pytest
from support.verified import Quiet, build

from pawld.cli.main import main
from pawld.install.file import ProgramContents
from pawld.install.pointer import pointer_for
from pawld.install.slots import SlotInstaller
from pawld.model import Slot
from pawld.system.clock import SystemClock
from pawld.system.platform import detect

CONFIG = """
[agents.acme]
root = "{root}"
[agents.acme.source]
type = "manifest"
url = "https://example.com/releases.json"
[agents.acme.trust]
type = "pinned_sha256"
version = "1.0.0"
sha256 = {{ "linux-x86_64" = "{digest}" }}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "pawld.toml"
    file.write_text(CONFIG.format(root=(tmp_path / "root").as_posix(), digest="0" * 64))
    return file


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    root = tmp_path / "root"
    contents = ProgramContents(detect(), name="acme")
    installer = SlotInstaller(root, contents, pointer_for(root), SystemClock())
    made = installer.stage(build(b"#!/bin/sh\necho ran $1\nexit 7\n", platform=detect()), Quiet())
    installer.activate(made)
    return made


def test_path_prints_where_the_running_version_lies(
    config: Path, slot: Slot, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "path", "acme"]) == 0
    assert capfd.readouterr().out.strip() == str(slot.path)
    assert main(["--config", str(config), "--json", "path", "acme"]) == 0
    assert json.loads(capfd.readouterr().out) == {"path": str(slot.path)}


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a shell script")
def test_exec_runs_the_agents_own_program_and_answers_as_it_does(
    config: Path, slot: Slot, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config), "exec", "acme", "--", "acme", "--well"]) == 7
    assert capfd.readouterr().out == "ran --well\n"


def test_exec_runs_a_program_of_the_host_beside_it(config: Path, slot: Slot) -> None:
    assert main(["--config", str(config), "exec", "acme", "--", sys.executable, "-c", "raise SystemExit(5)"]) == 5


def test_an_agent_that_is_not_installed_or_not_known_is_told(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config), "path", "acme"]) == 75
    assert "No version of acme is installed" in capfd.readouterr().err
    assert main(["--config", str(config), "path", "other"]) == 2
