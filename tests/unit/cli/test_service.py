"""``service``: what it asks the service manager, and what it tells of the answer."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pawld.cli.main import main
from pawld.service.registration import Registered, Style


@dataclass
class Manager:
    """A service manager in memory."""

    running: bool = False
    enabled: bool = False
    done: list[Any] = field(default_factory=list)

    def install(self, style: Style) -> None:
        self.done.append(style)
        self.running = self.enabled = True

    def uninstall(self) -> None:
        self.running = self.enabled = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def status(self) -> Registered:
        return Registered(enabled=self.enabled, running=self.running, text="waiting for a closed gate")


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    """Put it where the command line finds the real one."""
    one = Manager()

    def registration(config: Path | None, program: Path | None) -> Manager:
        one.done.append((config, program))
        return one

    module = SimpleNamespace(registration=registration, known_registration=lambda: one)
    monkeypatch.setitem(sys.modules, "pawld.wiring.registration", module)
    return one


def test_an_installation_is_told_by_what_the_manager_says_of_it(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", "install", "--config", "/etc/one.toml", "--program", "/opt/pawld"]) == 0

    assert manager.done == [(Path("/etc/one.toml"), Path("/opt/pawld")), Style.DAEMON]
    assert capsys.readouterr().out == "pawld runs, and starts at boot.\n  waiting for a closed gate\n"


def test_a_timer_is_installed_where_it_is_wished(manager: Manager) -> None:
    assert main(["service", "install", "--timer"]) == 0

    assert manager.done[-1] is Style.TIMER


def test_a_service_that_does_not_run_ends_the_question_with_try_later(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["service", "status", "--json"]) == 75

    assert json.loads(capsys.readouterr().out) == {
        "enabled": False,
        "running": False,
        "status": "waiting for a closed gate",
    }


def test_it_is_started_stopped_and_forgotten(manager: Manager, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "start"]) == 0
    assert manager.running
    assert main(["service", "stop"]) == 0
    assert not manager.running
    assert main(["service", "uninstall"]) == 0

    told = capsys.readouterr().out.splitlines()
    assert told[-2:] == [
        "pawld is stopped, or ends with the step under way.",
        "pawld is no service of this host any more.",
    ]
