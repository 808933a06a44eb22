import os
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support.verified import LINUX, Quiet, build

from pawld.install.file import ProgramContents
from pawld.install.layout import Layout
from pawld.install.pointer import LinkPointer
from pawld.install.slots import SlotInstaller
from pawld.install.sweep import STALE, remove_all
from pawld.model import Slot
from pawld.system.clock import SystemClock


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def an_installer(root: Path, *, keep: int = 1) -> SlotInstaller:
    return SlotInstaller(root, ProgramContents(LINUX, name="acme"), LinkPointer(root), SystemClock(), keep=keep)


def staged(root: Path, version: str, sequence: int, program: bytes | None = None) -> Slot:
    return an_installer(root).stage(
        build(program or b"#!/bin/sh\n" + version.encode() * 1000, version, sequence=sequence), Quiet()
    )


def names(directory: Path) -> list[str]:
    return sorted(one.name for one in directory.iterdir())


def versions(root: Path) -> list[str]:
    return [one.split("-")[0] for one in names(root / "versions")]


def test_what_is_linked_and_what_is_kept_stays_and_the_rest_goes(root: Path) -> None:
    slots = [staged(root, version, number) for number, version in enumerate(("1.0", "2.0", "3.0", "4.0"), 1)]
    installer = an_installer(root)
    installer.activate(slots[1])

    freed = installer.sweep([slots[0].name])

    assert versions(root) == ["1.0", "2.0"]
    assert freed >= len("3.0") * 1000 * 2


def test_as_many_slots_stay_as_keep_grants_the_newest_of_them(root: Path) -> None:
    slots = [staged(root, version, number) for number, version in enumerate(("1.0", "2.0", "3.0", "4.0"), 1)]
    installer = an_installer(root, keep=3)
    installer.activate(slots[0])

    installer.sweep([])

    assert versions(root) == ["1.0", "3.0", "4.0"]


def test_a_second_sweep_frees_nothing(root: Path) -> None:
    slot = staged(root, "1.0", 1)
    staged(root, "2.0", 2)
    installer = an_installer(root)
    assert installer.sweep([slot.name]) > 0

    assert installer.sweep([slot.name]) == 0


def test_a_slot_that_any_link_of_the_root_leads_into_stays(root: Path) -> None:
    old, new = staged(root, "1.0", 1), staged(root, "2.0", 2)
    (root / "stable").symlink_to(old.path / "acme")
    installer = an_installer(root)
    installer.activate(new)

    installer.sweep([])

    assert versions(root) == ["1.0", "2.0"]


@pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="needs /proc")
def test_a_slot_that_a_live_process_runs_from_stays_until_it_ends(root: Path) -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    old = staged(root, "1.0", 1, Path(sleep).read_bytes())
    installer = an_installer(root)
    new = staged(root, "2.0", 2)
    installer.activate(new)

    with subprocess.Popen([str(old.path / "acme"), "60"]) as running:
        try:
            installer.sweep([new.name])
            while_it_runs = versions(root)
        finally:
            running.kill()
    installer.sweep([new.name])

    assert while_it_runs == ["1.0", "2.0"]
    assert versions(root) == ["2.0"]


def test_leftovers_of_unfinished_steps_go_and_foreign_things_stay(root: Path) -> None:
    slot = staged(root, "1.0", 1)
    versions_directory = root / "versions"
    for name in (".staging-0123456789ab-01234567", ".damaged-0123456789ab-01234567", ".trash-0123456789ab-01234567"):
        (versions_directory / name / "deep").mkdir(parents=True)
        (versions_directory / name / "deep" / "file").write_bytes(b"12345")
    (versions_directory / "by-hand").mkdir()
    (versions_directory / ".staging-mine").mkdir()
    (versions_directory / "9.9-0123456789ab").mkdir()  # a slot's name, and no manifest of ours in it
    (versions_directory / ".trash-0123456789ab-76543210").symlink_to("/etc")
    (root / ".current.new").symlink_to("versions/nowhere")

    freed = an_installer(root).sweep([slot.name])

    assert names(versions_directory) == sorted(
        [slot.name, "by-hand", ".staging-mine", "9.9-0123456789ab", ".trash-0123456789ab-76543210"]
    )
    assert freed >= 15
    assert names(root) == [".pawld", "versions"]
    assert Path("/etc").is_dir()


def test_a_slot_of_another_installation_stays(root: Path) -> None:
    slot = staged(root, "1.0", 1)
    (root / ".pawld/id").write_text("f" * 32)

    an_installer(root).sweep([])

    assert names(root / "versions") == [slot.name]


def test_old_downloads_go_and_young_or_kept_ones_stay(root: Path) -> None:
    slot = staged(root, "1.0", 1)
    private = root / ".pawld"
    for name in (
        "old.unverified",
        "kept.unverified",
        "young.unverified",
        "notes",
        f"{slot.sha256}.unverified",
        f"{slot.sha256}.resume",
    ):
        (private / name).write_bytes(b"12345")
    long_ago = time.time() - (STALE + timedelta(hours=1)).total_seconds()
    for name in ("old.unverified", "kept.unverified", "notes"):
        os.utime(private / name, (long_ago, long_ago))

    freed = an_installer(root).sweep([slot.name, "kept.unverified"])

    assert names(private) == ["id", "kept.unverified", "notes", "young.unverified"]
    assert freed == 15


def test_a_directory_that_windows_holds_is_left_for_the_next_sweep(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class HeldError(PermissionError):
        winerror = 5

    def held(self: Path, target: Path) -> Path:
        raise HeldError(13, "in use", str(self))

    slot = staged(root, "1.0", 1)
    monkeypatch.setattr(Path, "rename", held)

    assert remove_all(Layout(root), [slot.path], lambda _: ()) == 0
    assert slot.path.is_dir()
