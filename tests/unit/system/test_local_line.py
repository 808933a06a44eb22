"""The line to the daemon: one question, one answer, and nobody else's."""

import os
import socket
import stat
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pawld.system.local_line import Caller, Line, ask

sockets = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "line"


@pytest.fixture
def line(path: Path) -> Iterator[Line]:
    line = Line(path, lambda caller: caller.answer({"heard": caller.question}))
    yield line
    line.close()


def test_a_question_is_answered(line: Line, path: Path) -> None:
    assert ask(path, {"verb": "hello"}) == {"heard": {"verb": "hello"}}


@sockets
def test_only_its_owner_may_speak_on_it(line: Line, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@sockets
@pytest.mark.rig("root")
def test_another_user_is_not_heard_though_the_mode_let_him(line: Line, path: Path) -> None:
    path.chmod(0o777)
    path.parent.chmod(0o755)
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        os._exit(0 if ask(path, {"verb": "hello"}) is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_where_nobody_listens_there_is_no_answer(path: Path) -> None:
    assert ask(path, {}) is None


def test_after_the_end_nobody_listens_and_the_name_is_gone(line: Line, path: Path) -> None:
    line.close()
    assert not path.exists()
    assert ask(path, {}) is None


@sockets
def test_a_name_that_a_killed_daemon_left_is_taken_over(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    line = Line(path, lambda caller: caller.answer({}))
    assert ask(path, {}) == {}
    line.close()


def test_a_daemon_that_does_not_answer_is_not_waited_for_for_ever(path: Path) -> None:
    callers: list[Caller] = []
    line = Line(path, callers.append)
    began = time.monotonic()
    assert ask(path, {}, patience=timedelta(seconds=0.1)) is None
    assert time.monotonic() - began < 3
    line.close()
    callers[0].answer({})  # the caller is gone: no error


@sockets
@pytest.mark.parametrize("said", [b"no json\n", b"[1]\n", b""])
def test_what_is_no_question_is_hung_up_on(line: Line, path: Path, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        caller.sendall(said)
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(10) == b""
    assert ask(path, {"still": "there"}) == {"heard": {"still": "there"}}


def test_an_answer_that_is_no_document_is_none(path: Path) -> None:
    line = Line(path, lambda caller: caller.answer([1]))  # type: ignore[arg-type]  # what no daemon of ours would say
    assert ask(path, {}) is None
    line.close()
