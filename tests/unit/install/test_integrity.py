import os
from pathlib import Path

import pytest
from support.verified import LINUX, Quiet, build

from pawld.install.file import ProgramContents
from pawld.install.integrity import Health, additions, examine
from pawld.install.layout import read_manifest
from pawld.install.pointer import LinkPointer
from pawld.install.slots import SlotInstaller
from pawld.system.clock import SystemClock


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    installer = SlotInstaller(tmp_path, ProgramContents(LINUX, name="bin/acme"), LinkPointer(tmp_path), SystemClock())
    return installer.stage(build(b"#!the program"), Quiet()).path


def test_a_slot_as_it_was_installed_is_intact(slot: Path) -> None:
    assert examine(slot).health is Health.INTACT


def test_a_file_of_the_right_size_full_of_zeros_is_damage(slot: Path) -> None:
    (slot / "bin/acme").write_bytes(bytes(13))

    found = examine(slot)

    assert (found.health, found.detail) == (Health.DAMAGED, "bin/acme holds other bytes than were installed")


def test_a_shorter_file_is_noticed_by_its_size(slot: Path) -> None:
    (slot / "bin/acme").write_bytes(b"")

    assert examine(slot).detail == "bin/acme has 0 bytes where 13 were installed"


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_program_that_lost_its_execute_bit_is_damage(slot: Path) -> None:
    (slot / "bin/acme").chmod(0o644)

    assert examine(slot).detail == "bin/acme has mode 644 where 755 was installed"


def test_a_missing_file_and_a_missing_directory_are_damage(slot: Path) -> None:
    (slot / "bin/acme").unlink()
    without_file = examine(slot)
    (slot / "bin").rmdir()
    without_directory = examine(slot)

    assert without_file.health is without_directory.health is Health.DAMAGED
    assert "No such file" in without_file.detail


def test_a_link_or_a_directory_in_the_place_of_a_file_is_damage(slot: Path) -> None:
    (slot / "bin/acme").rename(slot / "elsewhere")
    (slot / "bin/acme").symlink_to(slot / "elsewhere")

    assert examine(slot).detail == "bin/acme is no regular file any more"


def test_a_file_in_the_place_of_a_directory_is_damage(slot: Path) -> None:
    (slot / "bin/acme").unlink()
    (slot / "bin").rmdir()
    (slot / "bin").touch()

    assert examine(slot).detail == "bin is no directory any more"


def test_what_was_added_is_named_and_does_not_make_the_build_itself_damaged(slot: Path) -> None:
    (slot / "bin/plugin.so").touch()
    (slot / "logs/old").mkdir(parents=True)
    (slot / "etc").symlink_to("/etc")

    found, manifest = examine(slot), read_manifest(slot)

    assert (found.health, found.detail) == (Health.ADDED_TO, "bin/plugin.so does not belong to the build")
    assert manifest is not None
    assert additions(slot, manifest) == ["bin/plugin.so", "etc", "logs"]


def test_what_the_agent_may_make_in_its_own_slot_is_no_addition(slot: Path) -> None:
    (slot / "bin/__pycache__").mkdir()
    (slot / "bin/__pycache__/acme.pyc").touch()
    (slot / "agent.pid").touch()

    assert examine(slot).health is Health.ADDED_TO
    assert examine(slot, tolerated={"__pycache__", "agent.pid"}).health is Health.INTACT


def test_a_manifest_that_was_being_refreshed_is_no_addition(slot: Path) -> None:
    (slot / "..pawld-slot.json.new").write_bytes(b"half")

    assert examine(slot).health is Health.INTACT
