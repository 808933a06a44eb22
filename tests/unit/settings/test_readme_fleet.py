"""The three sizes of the README load as they stand there."""

import re
from pathlib import Path

import pytest

from pawld.settings import load

README = Path(__file__).parents[3] / "README.md"


def screens() -> list[str]:
    section = README.read_text().partition("\n## A fleet\n")[2].partition("\n## ")[0]
    return re.findall(r"```toml\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize(("number", "gates", "pin"), [(0, [], None), (1, ["etcd_lock"], None), (2, [], "hawkbit")])
def test_a_screen_is_a_whole_configuration(tmp_path: Path, number: int, gates: list[str], pin: str | None) -> None:
    file = tmp_path / "pawld.toml"
    file.write_text(screens()[number])
    file.chmod(0o600)
    agent = load(file, {}).agents["acme"]
    assert [one.type for one in agent.gates] == gates
    assert (agent.pin.type if agent.pin else None) == pin


def test_who_watches_a_fleet_is_told_by_a_collector_and_a_webhook(tmp_path: Path) -> None:
    file = tmp_path / "pawld.toml"
    file.write_text(screens()[3])
    file.chmod(0o600)
    report = load(file, {}).report
    assert report.otlp_headers is not None
    assert (report.otlp_url, report.otlp_metrics) == ("https://collector.example.com:4318", True)
    assert report.webhook_url == "https://hooks.example.com/pawld"


def test_there_are_three_sizes_and_each_fits_a_screen() -> None:
    assert len(screens()) == 4
    assert all(one.count("\n") <= 24 for one in screens())
