"""Who carries an interrupted swap of pawld on, on a host that has nothing to hand it over to."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from support.configuration import loaded

from pawld.lifecycle.states import Build, Idle, State, Swapping
from pawld.reasons import Reason
from pawld.system.own_command import WITHIN
from pawld.wiring.host import Host
from pawld.wiring.self_update import handed_over

CONFIG = """
[agents.pawld]
root = "{home}/opt"
source = {{ type = "tuf" }}
trust = {{ type = "tuf", metadata_url = "http://127.0.0.1:9/metadata", root_file = "{home}/root.json" }}
health = {{ checks = [{{ type = "updater" }}] }}
"""
INTERRUPTED = Swapping(Build("2.0.0", "0" * 64, 2), "2.0.0-000000000000", None, start=True)


@pytest.fixture(autouse=True)
def _without_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows needs nobody to start what outlives a service")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(WITHIN, raising=False)


def host(home: Path, state: State) -> Host:
    """What is asked of a host here, and nothing else."""
    settings = loaded(home, CONFIG.format(home=home.as_posix()))
    return cast("Host", SimpleNamespace(settings=settings, ledger=lambda _name: SimpleNamespace(state=state)))


def test_the_daemons_own_child_leaves_it_to_a_person_as_it_would_end_with_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WITHIN, "1")
    outcome = handed_over(host(tmp_path, INTERRUPTED), "pawld", None)
    assert outcome is not None
    assert outcome.reason is Reason.USAGE
    assert outcome.message.endswith("; run `pawld recover pawld`.")


def test_a_command_in_a_console_does_it_itself(tmp_path: Path) -> None:
    assert handed_over(host(tmp_path, INTERRUPTED), "pawld", None) is None


def test_where_nothing_was_interrupted_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WITHIN, "1")
    assert handed_over(host(tmp_path, Idle()), "pawld", None) is None
