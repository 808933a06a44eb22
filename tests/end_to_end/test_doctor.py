"""``pawld doctor`` on a whole host: what is well is said to be well, and what ails it is found."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crash.whole import House, house_in, updated

from pawld.cli.main import main


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_in(tmp_path, service=True) as one:
        updated(one)
        yield one


def examined(house: House, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main(["--json", "--config", str(house.config), "doctor", *words])
    return code, list(json.loads(capsys.readouterr().out)["findings"])


def problems(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["reason"] for one in findings if one["level"] == "problem"}


def test_a_host_that_is_well_has_no_problem(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    code, findings = examined(house, capsys)

    assert (code, problems(findings)) == (0, {})
    names = {one["name"] for one in findings if one["level"] == "ok"}
    assert names >= {"config", "permissions", "owner", "mount", "disk", "state", "marks", "journal", "slot"}
    assert names >= {"service", "network", "clock", "freshness", "platform"}
    assert all(one["mend"] for one in findings if one["level"] != "ok")


def test_offline_everything_else_is_still_examined(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.config.write_text(house.config.read_text().replace(house.web.url, "http://127.0.0.1:1"))

    code, findings = examined(house, capsys, "acme")

    assert (code, problems(findings)) == (75, {"network": "unreachable", "platform": "unreachable"})
    assert "slot" in {one["name"] for one in findings if one["level"] == "ok"}


def test_a_sick_host_is_found_sick_with_a_mend_for_each(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (house.home / "running").unlink()
    (house.root / "current" / "bin" / "agent").write_bytes(b"")
    (house.home / "state" / "marks.json").unlink()
    (house.home / "state" / "pawld.db.damaged-20260101T000000Z").write_bytes(b"")

    code, findings = examined(house, capsys)

    assert (code, problems(findings)) == (75, {"service": "service_failed", "slot": "slot_damaged"})
    warned = {one["name"]: one["mend"] for one in findings if one["level"] == "warning"}
    assert "pawld recover" in warned["marks"]
    assert "remove the file" in warned["state"]


def test_where_nothing_is_installed_yet_an_update_is_the_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with house_in(tmp_path, service=True) as fresh:
        _, findings = examined(fresh, capsys)

    warned = {one["name"]: one["mend"] for one in findings if one["level"] == "warning"}
    assert warned["slot"].startswith("Run `pawld update`")
    assert warned["service"].startswith("Run `pawld update`")


def test_an_interrupted_update_is_found(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    _set_state(house, '{"state": "downloading", "build": {"version": "3.0.0", "sha256": "", "sequence": 3}}')

    _, findings = examined(house, capsys)

    (journal,) = [one for one in findings if one["name"] == "journal"]
    assert (journal["level"], journal["mend"]) == ("warning", "Run `pawld recover`.")


def test_a_configuration_that_is_wrong_is_the_finding(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.config.write_text(house.config.read_text().replace("root =", "rot ="))

    code, findings = examined(house, capsys)

    assert (code, problems(findings)) == (78, {"config": "config_invalid"})


def test_a_person_reads_a_line_for_each_and_its_mend(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    (house.home / "running").unlink()
    capsys.readouterr()

    assert main(["--config", str(house.config), "doctor", "acme"]) == 75

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("PROBLEM acme: service: The service does not run") for line in lines)
    assert any(line.startswith("        mend: Start it") for line in lines)


def _set_state(house: House, document: str) -> None:
    with sqlite3.connect(house.home / "state" / "pawld.db") as connection:
        connection.execute("UPDATE states SET document = ?", (document,))
    connection.close()
