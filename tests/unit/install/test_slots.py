import hashlib
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.slots import FILES, an_installer, archive, names
from support.verified import Quiet

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.formats import slot_manifest
from pawld.install.integrity import Health
from pawld.install.layout import read_manifest
from pawld.install.pointer import FilePointer, LinkPointer, Pointer
from pawld.model import Unpacked
from pawld.reasons import Reason


@pytest.fixture(params=["link", "file"])
def pointer(request: pytest.FixtureRequest, tmp_path: Path) -> Pointer:
    root = tmp_path / "root"
    return LinkPointer(root) if request.param == "link" else FilePointer(root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def test_a_staged_and_activated_build_is_current_and_every_byte_is_noted(root: Path, pointer: Pointer) -> None:
    installer = an_installer(root, pointer=pointer)
    proven = archive(unpacked=None)

    slot = installer.stage(proven, Quiet())
    assert installer.current() is None
    installer.activate(slot)

    assert proven.confirmed == 1
    assert installer.current() == slot
    assert slot.name == proven.record.slot_name
    assert (slot.version, slot.sequence, slot.entrypoint) == ("1.0.0", 1, "bin/acme")
    manifest = slot_manifest.read((slot.path / ".pawld-slot.json").read_bytes())
    assert {one.path: one.sha256 for one in manifest.files} == {
        name: hashlib.sha256(data).hexdigest() for name, data in (FILES | {"version": b"1.0.0"}).items()
    }
    assert manifest.directories == ("bin", "share")
    assert manifest.sha256 == proven.record.sha256
    assert installer.intact(slot)


def test_the_root_is_open_to_the_agent_and_the_private_part_is_not(root: Path) -> None:
    before = os.umask(0o077)
    try:
        slot = an_installer(root).stage(archive(), Quiet())
    finally:
        os.umask(before)

    modes = {path: stat.S_IMODE((root / path).stat().st_mode) for path in ("", "versions", ".pawld")}
    assert modes == {"": 0o755, "versions": 0o755, ".pawld": 0o700}
    assert stat.S_IMODE(slot.path.stat().st_mode) == 0o755
    assert stat.S_IMODE((slot.path / ".pawld-slot.json").stat().st_mode) == 0o644
    assert stat.S_IMODE((slot.path / "bin/acme").stat().st_mode) == 0o755
    assert an_installer(root).intact(slot)


def test_staging_the_same_build_again_uses_the_intact_slot(root: Path) -> None:
    installer = an_installer(root)
    first = installer.stage(archive(), Quiet())
    inode = first.path.stat().st_ino
    again = archive()

    second = installer.stage(again, Quiet())

    assert second == first
    assert again.streamed == 0
    assert second.path.stat().st_ino == inode


def test_the_same_build_under_a_newer_sequence_keeps_its_bytes_and_takes_the_new_sequence(root: Path) -> None:
    installer = an_installer(root)
    installer.stage(archive(sequence=1), Quiet())
    promoted = archive(sequence=7)

    slot = installer.stage(promoted, Quiet())

    assert slot.sequence == 7
    assert promoted.streamed == 0
    assert [one.sequence for one in installer.slots()] == [7]
    assert installer.intact(slot)


def test_a_damaged_slot_of_the_same_build_is_set_aside_and_swept(root: Path) -> None:
    installer = an_installer(root)
    slot = installer.stage(archive(), Quiet())
    installer.activate(slot)
    (slot.path / "version").write_bytes(b"zeros")
    assert not installer.intact(slot)

    mended = installer.stage(archive(), Quiet())

    assert installer.intact(mended)
    aside = [one for one in names(root / "versions") if one.startswith(".damaged-")]
    assert len(aside) == 1
    assert installer.sweep([mended.name]) > 0
    assert names(root / "versions") == [mended.name]


def test_a_damaged_slot_is_set_aside_where_two_names_cannot_be_exchanged(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawld.system.files._libc", lambda: None)
    installer = an_installer(root)
    slot = installer.stage(archive(), Quiet())
    (slot.path / ".pawld-slot.json").write_bytes(bytes(500))

    assert installer.intact(installer.stage(archive(), Quiet()))
    assert any(one.startswith(".damaged-") for one in names(root / "versions"))


def test_a_build_whose_proof_fails_leaves_nothing(root: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        an_installer(root).stage(archive(forged=True), Quiet())

    assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert names(root / "versions") == []


def test_an_archive_that_holds_something_else_than_stated_leaves_nothing(root: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        an_installer(root).stage(archive(unpacked=Unpacked(1, 1)), Quiet())

    assert caught.value.reason is Reason.ARCHIVE_REFUSED
    assert names(root / "versions") == []


def test_a_slot_of_another_installation_is_refused_and_left_alone(root: Path) -> None:
    slot = an_installer(root).stage(archive(), Quiet())
    (root / ".pawld/id").write_text("0" * 32)

    with pytest.raises(OperatorError) as caught:
        an_installer(root).stage(archive(), Quiet())

    assert caught.value.reason is Reason.OWNED_BY_OTHERS
    assert (slot.path / "bin/acme").read_bytes() == FILES["bin/acme"]
    assert list(an_installer(root).slots()) == []


def test_a_root_that_cannot_be_written_is_the_hosts_fault(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file in its place")

    with pytest.raises(TransientError) as caught:
        an_installer(tmp_path / "root").stage(archive(), Quiet())

    assert caught.value.reason is Reason.IO_FAILED


def test_an_incomplete_slot_is_never_activated(root: Path) -> None:
    installer = an_installer(root)
    slot = installer.stage(archive(), Quiet())
    (slot.path / ".pawld-slot.json").unlink()

    with pytest.raises(TransientError) as caught:
        installer.activate(slot)

    assert caught.value.reason is Reason.SLOT_DAMAGED
    assert not os.path.lexists(root / "current")


def test_activating_again_is_harmless(root: Path, pointer: Pointer) -> None:
    installer = an_installer(root, pointer=pointer)
    slot = installer.stage(archive(), Quiet())

    installer.activate(slot)
    installer.activate(slot)

    assert installer.current() == slot


def test_a_link_to_an_incomplete_slot_is_no_current_version(root: Path) -> None:
    installer = an_installer(root)
    slot = installer.stage(archive(), Quiet())
    installer.activate(slot)
    (slot.path / ".pawld-slot.json").write_bytes(b"")

    assert installer.current() is None


@pytest.mark.parametrize("name", ["../../etc-0123456789ab", "1.0.0", "1.0.0-0123456789AB", ".hidden-0123456789ab", ""])
def test_a_version_that_could_lead_elsewhere_makes_no_slot(root: Path, name: str) -> None:
    from pawld.install.layout import Layout  # noqa: PLC0415 - for this test alone

    with pytest.raises(RejectedError) as caught:
        Layout(root).slot(name)

    assert caught.value.reason is Reason.RECORD_INVALID


def test_slots_are_listed_newest_sequence_first(root: Path) -> None:
    installer = an_installer(root)
    for version, sequence in (("1.0.0", 10), ("0.9.9", 12), ("1.1.0", 11)):
        installer.stage(archive(version, sequence), Quiet())

    assert [slot.version for slot in installer.slots()] == ["0.9.9", "1.1.0", "1.0.0"]


def test_a_survey_puts_the_newest_slot_that_holds_first_and_tells_what_is_wrong_with_the_others(root: Path) -> None:
    installer = an_installer(root)
    slots = {one: installer.stage(archive(one, int(one[0])), Quiet()) for one in ("1.0.0", "2.0.0", "3.0.0", "4.0.0")}
    (slots["4.0.0"].path / "bin/acme").write_bytes(bytes(len(FILES["bin/acme"])))
    (slots["3.0.0"].path / ".pawld-slot.json").write_bytes(b"{")
    (slots["2.0.0"].path / "agent.log").write_text("I ran here\n")

    found = installer.survey()

    assert [(one.name.split("-")[0], one.examined.health) for one in found] == [
        ("2.0.0", Health.ADDED_TO),
        ("1.0.0", Health.INTACT),
        ("4.0.0", Health.DAMAGED),
        ("3.0.0", Health.UNREADABLE),
    ]
    assert [one.examined.detail for one in found[:3]] == [
        "agent.log does not belong to the build",
        "",
        "bin/acme holds other bytes than were installed",
    ]
    assert found[3].slot is None


def test_an_agent_that_writes_a_log_into_its_slot_keeps_its_way_back_and_a_new_staging_starts_clean(root: Path) -> None:
    installer = an_installer(root)
    slot = installer.stage(archive(), Quiet())
    (slot.path / "agent.log").write_text("I ran here\n")

    assert installer.intact(slot)
    assert installer.examine(slot).health is Health.ADDED_TO
    installer.stage(archive(), Quiet())
    assert not (slot.path / "agent.log").exists()


def test_nothing_is_there_before_the_first_build(root: Path, pointer: Pointer) -> None:
    installer = an_installer(root, pointer=pointer)

    assert installer.current() is None
    assert list(installer.slots()) == []
    assert list(installer.survey()) == []


def test_a_lost_install_id_is_taken_over_from_the_slots(root: Path) -> None:
    slot = an_installer(root).stage(archive(), Quiet())
    was = (root / ".pawld/id").read_text()
    (root / ".pawld/id").write_bytes(bytes(33))

    an_installer(root).stage(archive("2.0.0", 2), Quiet())

    assert (root / ".pawld/id").read_text() == was
    assert an_installer(root).intact(slot)
    assert len(an_installer(root).slots()) == 2


def test_a_manifest_names_the_time_of_the_installation(root: Path) -> None:
    before = datetime.now(UTC)

    slot = an_installer(root).stage(archive(), Quiet())

    manifest = read_manifest(slot.path)
    assert manifest is not None
    assert slot.installed_at == manifest.installed_at
    assert before <= manifest.installed_at <= datetime.now(UTC)
    assert json.loads((slot.path / ".pawld-slot.json").read_bytes().splitlines()[0])["schema"] == 1


def test_at_least_the_current_slot_is_kept(root: Path) -> None:
    with pytest.raises(ValueError, match="at least the current slot"):
        an_installer(root, keep=0)
