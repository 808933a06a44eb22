import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawld.system import process, running

needs_proc = pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="needs /proc")


def a_process(proc: Path, number: int, **links: str) -> Path:
    directory = proc / str(number)
    directory.mkdir(parents=True)
    for name, target in links.items():
        (directory / name).symlink_to(target)
    return directory


@pytest.fixture
def slots(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "1.0", tmp_path / "1.0.1"
    old.mkdir()
    new.mkdir()
    return old, new


@pytest.mark.parametrize("link", ["exe", "cwd", "root"])
def test_a_process_that_was_started_from_a_directory_or_stands_in_it_uses_it(
    tmp_path: Path, slots: tuple[Path, Path], link: str
) -> None:
    a_process(tmp_path / "proc", 42, **{link: f"{slots[0]}/bin/acme"})

    assert running.in_use(slots, proc=tmp_path / "proc", system="linux") == {slots[0]}


def test_a_program_that_was_removed_meanwhile_still_runs_from_there(tmp_path: Path, slots: tuple[Path, Path]) -> None:
    a_process(tmp_path / "proc", 42, exe=f"{slots[1]}/bin/acme (deleted)")

    assert running.in_use(slots, proc=tmp_path / "proc", system="linux") == {slots[1]}


def test_a_mapped_library_and_a_command_line_are_traces_too(tmp_path: Path, slots: tuple[Path, Path]) -> None:
    mapping = a_process(tmp_path / "proc", 1)
    (mapping / "maps").write_text(
        f"7f0000-7f1000 r-xp 00000000 fd:00 123                        {slots[0]}/lib/core.so\n"
        "7f2000-7f3000 rw-p 00000000 00:00 0                          [heap]\n"
    )
    other_user = a_process(tmp_path / "proc", 2)
    (other_user / "cmdline").write_bytes(b"python3\0" + os.fsencode(slots[1] / "agent.py") + b"\0")

    assert running.in_use(slots, proc=tmp_path / "proc", system="linux") == set(slots)


def test_a_directory_whose_name_only_begins_alike_is_not_in_use(tmp_path: Path, slots: tuple[Path, Path]) -> None:
    a_process(tmp_path / "proc", 42, exe=f"{slots[1]}/bin/acme")
    (tmp_path / "proc" / "version").write_text("no process")

    assert running.in_use([slots[0]], proc=tmp_path / "proc", system="linux") == set()


@needs_proc
def test_a_live_process_is_seen_through_a_link_to_its_directory(slots: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(slots[0])
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]

    with subprocess.Popen(command, cwd=slots[0], stdin=subprocess.PIPE) as child:
        while_it_runs = running.in_use([tmp_path / "current"])
        child.communicate()

    assert while_it_runs == {tmp_path / "current"}
    assert running.in_use([tmp_path / "current"]) == set()


def test_on_macos_the_process_list_is_asked(monkeypatch: pytest.MonkeyPatch, slots: tuple[Path, Path]) -> None:
    listed = f"/sbin/launchd\n{slots[0]}/bin/acme --run\n"
    monkeypatch.setattr(process, "run", lambda command, **_: process.Finished(tuple(command), 0, listed, ""))

    assert running.in_use(slots, system="darwin") == {slots[0]}


def test_on_windows_the_rename_tells(slots: tuple[Path, Path]) -> None:
    assert running.in_use(slots, system="win32") == set()


def test_nothing_is_asked_about_no_directory() -> None:
    assert running.in_use([], system="linux", proc=Path("/nowhere")) == set()
