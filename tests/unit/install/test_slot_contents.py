"""What kinds of build become a slot, and which do not."""

import io
import stat
from pathlib import Path

import pytest
from support.slots import an_installer, archive, names, tar_gz
from support.verified import LINUX, Quiet, build

from pawld.errors import OperatorError, RejectedError
from pawld.install.archive import Links
from pawld.install.contents import Contents
from pawld.install.directory import ArchiveContents
from pawld.install.file import ProgramContents
from pawld.model import Unpacked
from pawld.reasons import Reason


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def test_a_single_program_becomes_a_slot_under_one_name(root: Path) -> None:
    program = b"#!/bin/sh\nexit 0\n"
    installer = an_installer(root, contents=ProgramContents(LINUX, name="bin/acme-agent"))

    slot = installer.stage(build(program), Quiet())

    placed = slot.path / "bin/acme-agent"
    assert placed.read_bytes() == program
    assert stat.S_IMODE(placed.stat().st_mode) == 0o755
    assert slot.entrypoint == "bin/acme-agent"
    assert installer.intact(slot)


def test_a_program_without_a_configured_name_keeps_its_file_name(root: Path) -> None:
    slot = an_installer(root, contents=ProgramContents(LINUX)).stage(build(b"#!/bin/sh\n"), Quiet())

    assert slot.entrypoint == "acme"


@pytest.mark.parametrize("name", ["/bin/sh", "../acme", "a//b", "C:\\acme", "a/../../b"])
def test_a_configured_name_that_leads_out_of_the_slot_is_refused(name: str) -> None:
    with pytest.raises(OperatorError) as caught:
        ProgramContents(LINUX, name=name)

    assert caught.value.reason is Reason.CONFIG_INVALID


def test_an_archive_is_refused_where_a_program_is_expected_and_the_other_way_round(root: Path) -> None:
    with pytest.raises(RejectedError) as archived:
        an_installer(root, contents=ProgramContents(LINUX)).stage(archive(), Quiet())
    with pytest.raises(RejectedError) as single:
        an_installer(root).stage(build(b"#!/bin/sh\n"), Quiet())

    assert archived.value.reason is single.value.reason is Reason.ARCHIVE_REFUSED
    assert names(root / "versions") == []


@pytest.mark.parametrize("contents", [ArchiveContents(LINUX), ProgramContents(LINUX)])
def test_a_build_for_another_cpu_leaves_nothing(root: Path, contents: Contents) -> None:
    elf_of_arm64 = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00\x01" + bytes(43)
    archived = isinstance(contents, ArchiveContents)
    data = tar_gz({"bin/acme": elf_of_arm64}) if archived else elf_of_arm64
    wrong = build(data, form="tar.gz" if archived else "file", entrypoint="bin/acme")

    with pytest.raises(RejectedError) as caught:
        an_installer(root, contents=contents).stage(wrong, Quiet())

    assert caught.value.reason is Reason.WRONG_EXECUTABLE
    assert names(root / "versions") == []


def test_a_zip_is_read_from_the_whole_proven_file(root: Path) -> None:
    import zipfile  # noqa: PLC0415 - for this test alone

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as packed:
        packed.writestr("share/words.txt", b"words")
    proven = build(held.getvalue(), form="zip")

    slot = an_installer(root).stage(proven, Quiet())

    assert (slot.path / "share/words.txt").read_bytes() == b"words"
    assert (proven.streamed, proven.confirmed) == (0, 1)


def test_a_link_inside_is_part_of_the_slot_where_the_policy_has_links(root: Path) -> None:
    data = tar_gz({"lib/real.so.1": b"#!/bin/sh\n"}, {"lib/real.so": "real.so.1"})
    installer = an_installer(root, contents=ArchiveContents(LINUX, links=Links.INSIDE, entrypoint=None))

    slot = installer.stage(build(data, form="tar.gz"), Quiet())

    assert installer.intact(slot)
    (slot.path / "lib/real.so").unlink()
    (slot.path / "lib/real.so").symlink_to("/etc/passwd")
    assert installer.examine(slot).detail == "lib/real.so is no link to where it led"


def test_the_space_that_staging_needs_is_what_the_record_states_with_a_block_for_each_file(root: Path) -> None:
    stated = archive(unpacked=Unpacked(5_000_000, 100)).record
    unstated = archive().record

    installer = an_installer(root)

    assert installer.space_needed(stated) == 5_000_000 + 100 * 4096 + 1024 * 1024
    assert installer.space_needed(unstated) == 4 * unstated.length + 1024 * 1024
    assert an_installer(root, contents=ProgramContents(LINUX)).space_needed(build(b"12345").record) == 5 + 1024 * 1024
