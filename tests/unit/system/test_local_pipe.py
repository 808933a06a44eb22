"""The line on Windows: a pipe whose name nobody can guess, open to administrators alone."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawld.system.local_line import Line, ask

if sys.platform != "win32":
    pytest.skip("this is not Windows", allow_module_level=True)

import win32con
import win32file
import win32security


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "line"


@pytest.fixture
def line(path: Path) -> Iterator[Line]:
    line = Line(path, lambda caller: caller.answer({"heard": caller.question}))
    yield line
    line.close()


def test_the_name_is_anothers_at_each_start(path: Path) -> None:
    names = set()
    for _ in range(2):
        line = Line(path, lambda caller: caller.answer({}))
        names.add(path.read_text())
        line.close()
    assert len(names) == 2


def test_a_name_that_a_killed_daemon_left_is_taken_over(path: Path) -> None:
    path.write_text("\\\\.\\pipe\\pawld-nobody")
    assert ask(path, {}) is None
    line = Line(path, lambda caller: caller.answer({}))
    assert ask(path, {}) == {}
    line.close()


def test_administrators_the_system_and_the_owner_alone_may_speak_on_it(line: Line, path: Path) -> None:
    pipe = win32file.CreateFile(
        path.read_text(), win32con.GENERIC_READ | win32con.READ_CONTROL, 0, None, win32con.OPEN_EXISTING, 0, None
    )
    seen = win32security.GetSecurityInfo(
        pipe, win32security.SE_KERNEL_OBJECT, win32security.DACL_SECURITY_INFORMATION
    ).GetSecurityDescriptorDacl()
    pipe.Close()
    names = {win32security.ConvertSidToStringSid(seen.GetAce(one)[2]) for one in range(seen.GetAceCount())}
    assert not names & {"S-1-1-0", "S-1-5-11", "S-1-5-32-545"}, "everyone, whoever signed in, users"
    assert "S-1-5-18" in names


def test_whoever_calls_and_says_nothing_keeps_nobody_from_calling(line: Line, path: Path) -> None:
    silent = win32file.CreateFile(
        path.read_text(), win32con.GENERIC_READ | win32con.GENERIC_WRITE, 0, None, win32con.OPEN_EXISTING, 0, None
    )
    silent.Close()
    began = time.monotonic()
    assert ask(path, {"still": "there"}) == {"heard": {"still": "there"}}
    assert time.monotonic() - began < 10
