"""``pawld recover``: whatever is lost, it rebuilds what it can from the disk, and never needs a network."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from crash.cuts import PowerCut
from crash.whole import House, house_in, installed, updated
from crash.world import NEW, OLD, RELEASES, running_version

from pawld.cli.main import main
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import State
from pawld.ports import Event

_CONNECTIONS: list[str] = []
sys.addaudithook(lambda event, facts: _CONNECTIONS.append(str(facts[1])) if event == "socket.connect" else None)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with house_in(tmp_path, service=True) as one:
        yield one


@pytest.fixture
def up_to_date(house: House) -> House:
    updated(house)
    return house


def recover(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = main(["--json", *words])
    return code, dict(json.loads(capsys.readouterr().out)["agents"][0])


def configured(house: House) -> list[str]:
    return ["--config", str(house.config), "recover"]


def by_root(house: House) -> list[str]:
    return ["recover", "--root", str(house.root), "--state", str(house.home / "state")]


def interrupted(house: House, state: str) -> None:
    """Cut the power right after the update recorded that it is in this state."""
    installed(house)
    move = Journal.move

    def cut(self: Journal, new: State, event: Event) -> None:
        move(self, new, event)
        if new.state == state:
            raise PowerCut(state)

    with pytest.MonkeyPatch.context() as patch, suppress(PowerCut):
        patch.setattr(Journal, "move", cut)
        house.update()


def test_recovery_opens_no_connection(up_to_date: House, capsys: pytest.CaptureFixture[str]) -> None:
    up_to_date.web.files.clear()
    _CONNECTIONS.clear()

    code, agent = recover(capsys, *configured(up_to_date))

    assert (code, agent["reason"]["code"], _CONNECTIONS) == (0, "recovered", [])


def test_a_root_under_two_names_is_that_of_the_agent_that_moved_last(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    text = house.config.read_text()
    house.config.write_text(text.replace("[agents.acme", "[agents.zebra"))
    recover(capsys, "--config", str(house.config), "status")
    main(["--config", str(house.config), "check"])
    house.config.write_text(text)
    interrupted(house, "swapping")

    code, agent = recover(capsys, *by_root(house))

    assert (code, agent["name"], agent["state"]) == (0, "acme", "idle")


def test_an_unreadable_database_is_set_aside_and_its_marks_come_from_their_copy(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    (up_to_date.home / "state" / "pawld.db").write_bytes(b"\0" * 4096)

    code, agent = recover(capsys, *configured(up_to_date))

    assert code == 0
    assert "set aside" in agent["reason"]["message"]
    assert "marks were restored" in agent["reason"]["message"]
    assert (up_to_date.mark(), running_version(up_to_date.root)) == (2, NEW)
    (up_to_date.home / "state" / "marks.json").unlink()
    assert up_to_date.mark() == 2, "the database has them again"


def test_where_both_copies_of_the_marks_are_lost_the_current_slot_tells_the_sequence(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    (up_to_date.home / "state" / "pawld.db").write_bytes(b"\0" * 4096)
    (up_to_date.home / "state" / "marks.json").write_bytes(b"\0" * 80)

    _, agent = recover(capsys, *configured(up_to_date))

    assert "restored from the current slot: 2" in agent["reason"]["message"]
    assert up_to_date.mark() == 2
    up_to_date.publish(OLD)
    assert up_to_date.update() == "rollback_suspected"


def test_an_unreadable_metadata_cache_is_set_aside(up_to_date: House, capsys: pytest.CaptureFixture[str]) -> None:
    cache = up_to_date.home / "state" / "tuf" / "acme"
    cache.mkdir(parents=True)
    (cache / "root.json").write_text("{}")
    (cache / "timestamp.json").write_bytes(b"\0" * 100)

    code, agent = recover(capsys, *configured(up_to_date))

    assert code == 0
    assert "unreadable timestamp.json" in agent["reason"]["message"]
    assert list(cache.iterdir()) == []


def test_a_zeroed_current_slot_is_left_for_the_last_good_one_and_its_service_goes_on(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    program = up_to_date.root / "current" / "bin" / "agent"
    program.write_bytes(b"\0" * program.stat().st_size)

    code, agent = recover(capsys, *configured(up_to_date))

    assert code == 0
    assert "was damaged. The host is back on 1.0.0." in agent["reason"]["message"]
    assert running_version(up_to_date.root) == up_to_date.serves() == OLD


def test_a_slot_whose_manifest_rotted_is_removed_and_what_was_freed_is_told(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    old = up_to_date.root / "versions" / RELEASES[OLD].record.slot_name
    (old / ".pawld-slot.json").write_bytes(b"\0" * 700)
    foreign = up_to_date.root / "versions" / "9.9.9-0123456789ab"
    foreign.mkdir()

    _, agent = recover(capsys, *configured(up_to_date))

    assert "bytes are free again" in agent["reason"]["message"]
    assert not old.exists()
    assert foreign.exists(), "without a manifest it is not ours"


@pytest.mark.parametrize("state", ["downloading", "staging", "swapping", "probation"])
def test_without_a_configuration_an_interrupted_update_is_finished_or_undone_from_the_root_alone(
    state: str, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(house, state)
    house.config.unlink()

    code, agent = recover(capsys, *by_root(house))

    assert (code, agent["name"], agent["state"]) == (0, "acme", "idle")
    assert running_version(house.root) in {OLD, NEW}
    assert house.serves() == running_version(house.root)
    assert agent["blocked"] == [], "an interruption is no fault of the build"


def test_a_build_on_probation_is_taken_back_where_no_configuration_tells_how_to_judge_it(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(house, "probation")
    assert running_version(house.root) == NEW

    code, agent = recover(capsys, *by_root(house))

    assert code == 0
    assert running_version(house.root) == house.serves() == OLD
    assert (agent["state"], agent["blocked"]) == ("idle", [])


def test_a_boot_with_a_broken_configuration_still_recovers_what_the_state_remembers(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(house, "swapping")
    house.config.write_text("[agents.acme\n")
    monkeypatch.setenv("PAWLD_UPDATER__STATE_DIR", str(house.home / "state"))

    code, agent = recover(capsys, *configured(house))

    assert (code, agent["name"], agent["state"]) == (0, "acme", "idle")
    assert house.serves() == running_version(house.root)


def test_a_root_whose_state_is_lost_is_looked_after_and_no_service_is_touched(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(up_to_date.home / "state")

    code, agent = recover(capsys, *by_root(up_to_date))

    assert (code, agent["name"]) == (0, "opt")
    assert f"The state in {up_to_date.home / 'state'} knows no service of it" in agent["reason"]["message"]
    assert running_version(up_to_date.root) == NEW


@contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Mount the directory over itself, read-only."""
    subprocess.run(["mount", "--bind", str(directory), str(directory)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(directory)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)


@pytest.mark.rig("mount")
def test_a_root_with_nothing_in_it_is_refused_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mistyped = tmp_path / "ocme"

    code = main(["recover", "--root", str(mistyped), "--state", str(tmp_path / "state")])

    assert code == 2
    assert f"There is no agent in {mistyped}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [configured, by_root])
def test_with_a_read_only_state_it_only_reports_and_says_that_all_is_well(
    words: Any, up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    with read_only(up_to_date.home / "state"):
        code, agent = recover(capsys, *words(up_to_date))

    assert (code, agent["reason"]["code"]) == (0, "recovered"), agent["reason"]["message"]
    assert "only looked at" in agent["reason"]["message"]


@pytest.mark.rig("mount")
def test_with_a_read_only_state_the_exit_code_says_that_something_would_have_to_be_done(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    (up_to_date.root / "current" / "etc" / "agent.conf").write_bytes(b"")

    with read_only(up_to_date.home / "state"):
        code, agent = recover(capsys, *configured(up_to_date))

    assert (code, agent["reason"]["code"]) == (75, "read_only")
    assert "etc/agent.conf has 0 bytes" in agent["reason"]["message"]
    assert running_version(up_to_date.root).startswith("BROKEN"), "nothing was changed"


def test_an_agent_that_stands_still_when_the_state_was_lost_is_started(
    up_to_date: House, capsys: pytest.CaptureFixture[str]
) -> None:
    (up_to_date.home / "running").unlink()
    (up_to_date.home / "state" / "pawld.db").write_bytes(b"not a database at all" * 100)

    code, _ = recover(capsys, *configured(up_to_date))

    assert code == 0
    assert running_version(up_to_date.root) == up_to_date.serves() == NEW
