from datetime import timedelta
from pathlib import Path

import pytest

from pawld.system.unit import in_a_unit_of_its_own, outside_our_unit

LIMIT = timedelta(minutes=2)


def test_where_pawld_is_no_unit_commands_run_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    assert outside_our_unit() == ()
    assert in_a_unit_of_its_own(LIMIT, {}) == ()


def test_within_a_systemd_unit_the_agent_is_started_outside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOCATION_ID", "0" * 32)
    monkeypatch.setattr(Path, "is_dir", lambda _: True)
    assert outside_our_unit()[:2] == ("systemd-run", "--scope")


def test_a_package_manager_gets_a_unit_with_a_limit_and_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOCATION_ID", "0" * 32)
    monkeypatch.setattr(Path, "is_dir", lambda _: True)
    words = in_a_unit_of_its_own(LIMIT, {"LC_ALL": "C"})
    assert {"--wait", "--pipe", "--property=RuntimeMaxSec=120", "--setenv=LC_ALL=C"} < set(words)
    assert words[-1] == "--"
