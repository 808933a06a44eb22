"""What makes an environment another one for a build that failed in it."""

from pathlib import Path

import pytest
from support.configuration import MINIMAL, loaded

from pawld.settings.models import Agent
from pawld.wiring import environment
from pawld.wiring.environment import fingerprint


def agent(tmp_path: Path, text: str = MINIMAL) -> Agent:
    return loaded(tmp_path, text).agents["acme"]


def test_it_is_the_same_as_long_as_nothing_of_it_changes(tmp_path: Path) -> None:
    assert fingerprint(agent(tmp_path)) == fingerprint(agent(tmp_path))
    moved = MINIMAL.replace('root = "/opt/acme-agent"', 'root = "/opt/acme-agent"\nchannel = "beta"')
    assert moved != MINIMAL
    assert fingerprint(agent(tmp_path, moved)) == fingerprint(agent(tmp_path))


def test_another_health_check_or_another_way_to_install_makes_it_another_one(tmp_path: Path) -> None:
    patient = MINIMAL + '\n[agents.acme.health]\nprobation = "17m"\n'
    qualified = MINIMAL + "\n[agents.acme.install]\nkeep = 5\n"

    assert len({fingerprint(agent(tmp_path, one)) for one in (MINIMAL, patient, qualified)}) == 3


def test_another_pawld_or_another_system_makes_it_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {fingerprint(agent(tmp_path))}
    monkeypatch.setattr(environment, "__version__", "99.0")
    found.add(fingerprint(agent(tmp_path)))
    monkeypatch.setattr(environment, "_system", lambda: ["Linux", "99.0", "x86_64", "debian", "99"])
    found.add(fingerprint(agent(tmp_path)))

    assert len(found) == 3
