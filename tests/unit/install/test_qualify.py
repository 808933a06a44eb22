from datetime import timedelta
from pathlib import Path

import pytest
from support.verified import LINUX, Quiet, build

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.install.file import ProgramContents
from pawld.install.pointer import LinkPointer
from pawld.install.qualify import qualify
from pawld.install.slots import SlotInstaller
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.system import process
from pawld.system.clock import SystemClock


def staged(root: Path, script: str, *command: str) -> Slot:
    installer = SlotInstaller(
        root, ProgramContents(LINUX), LinkPointer(root), SystemClock(), qualify=command or ("{slot}/acme", "{version}")
    )
    return installer.stage(build(f"#!/bin/sh\n{script}\n".encode()), Quiet())


def slots_in(root: Path) -> list[str]:
    return sorted(one.name for one in (root / "versions").iterdir())


def test_a_build_that_answers_becomes_a_slot(tmp_path: Path) -> None:
    slot = staged(tmp_path / "root", 'test "$1" = 1.0.0')

    assert slots_in(tmp_path / "root") == [slot.name]


def test_a_build_that_fails_is_refused_with_its_last_words_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        staged(tmp_path / "root", "echo starting; echo 'GLIBC_2.38 not found' >&2; exit 127")

    assert caught.value.reason is Reason.QUALIFICATION_FAILED
    assert caught.value.message.endswith("ended with 127: GLIBC_2.38 not found.")
    assert slots_in(tmp_path / "root") == []


def test_a_program_that_the_build_does_not_hold_is_the_builds_fault(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        staged(tmp_path / "root", "exit 0", "{slot}/bin/acme", "--version")

    assert caught.value.reason is Reason.QUALIFICATION_FAILED


def test_a_program_of_the_host_that_is_missing_is_the_operators_fault(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        staged(tmp_path / "root", "exit 0", "/nowhere/checker", "{slot}")

    assert caught.value.reason is Reason.CONFIG_INVALID
    assert slots_in(tmp_path / "root") == []


def test_what_the_rehearsal_leaves_in_the_slot_is_taken_away(tmp_path: Path) -> None:
    slot = staged(tmp_path / "root", 'cd "$(dirname "$0")" && mkdir -p cache/deep && touch log cache/deep/one')

    assert sorted(one.name for one in slot.path.iterdir()) == [".pawld-slot.json", "acme"]


def test_a_build_that_never_answers_is_refused_at_the_limit(tmp_path: Path) -> None:
    slot = Slot(tmp_path, "1.0.0", "0" * 64)

    with pytest.raises(RejectedError) as caught:
        qualify(["/bin/sleep", "60"], tmp_path, slot, limit=timedelta(milliseconds=50))

    assert caught.value.reason is Reason.QUALIFICATION_FAILED
    assert "took longer than 0.05 s" in caught.value.message


def test_a_host_that_can_start_no_program_blames_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = process.Finished(("acme",), None, "", "acme: Too many open files", ran=False)
    monkeypatch.setattr(process, "run", lambda *_args, **_options: short)

    with pytest.raises(TransientError) as caught:
        qualify([str(tmp_path / "acme")], tmp_path, Slot(tmp_path, "1.0.0", "0" * 64))

    assert caught.value.reason is Reason.IO_FAILED
