"""Who can have walls, and what a child has left behind them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from support.liars import USER, lying

from pawld.errors import TransientError
from pawld.reasons import Reason
from pawld.system.walls import Walls, killing, walls_for
from pawld.system.walls.child import FROZEN, bare_environment, command_of, kill, still_held

ROOT = pytest.mark.rig("root")
GIVEN_UP = """Name:\tpython3
Uid:\t65534\t65534\t65534\t65534
Gid:\t65534\t65534\t65534\t65534
Groups:\t
NoNewPrivs:\t1
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapAmb:\t0000000000000000
"""


@ROOT
def test_root_has_walls_where_the_user_is_there() -> None:
    walls = walls_for(USER)
    assert isinstance(walls, Walls)
    assert (walls.user, walls.uid) == (USER, 65534)


@ROOT
@pytest.mark.parametrize(
    ("user", "system", "why"),
    [
        (USER, "darwin", "only Linux"),
        ("no-such-user", "linux", "no user no-such-user"),
        ("root", "linux", "the user root is root itself"),
    ],
)
def test_without_walls_it_is_told_why(user: str, system: str, why: str) -> None:
    found = walls_for(user, system)
    assert isinstance(found, str)
    assert why in found


@ROOT
@pytest.mark.parametrize(
    ("bits", "why"), [(0, "CAP_SETGID and CAP_SETUID"), (1 << 7, "without CAP_SETGID"), (1 << 6, "without CAP_SETUID")]
)
def test_a_root_without_its_powers_has_none(bits: int, why: str, tmp_path: Path) -> None:
    (tmp_path / "status").write_text(f"CapEff:\t{bits:016x}\n")
    assert why in str(walls_for(USER, status=tmp_path / "status"))


@ROOT
def test_a_child_is_given_nothing_of_the_environment_that_could_be_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAWLD_AGENTS__ACME__SOURCE__TOKEN", "CREDENTIALS_DIRECTORY", "AWS_SECRET_ACCESS_KEY", "HOME"):
        monkeypatch.setenv(name, "31337")
    child = lying("silence").start("module", "reads archives")
    try:
        assert "31337" not in Path(f"/proc/{child.pid}/environ").read_text()
        assert {Path(one).name for one in Path(f"/proc/{child.pid}/fd").iterdir()} == {"0", "1", "2"}
    finally:
        child.end()


def powerless(module: str) -> list[str]:
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command_of(module)]


@ROOT
def test_a_user_whom_a_container_does_not_have_is_nobody_to_become(tmp_path: Path) -> None:
    (tmp_path / "uid_map").write_text("         0     100000      65534\n")
    assert "not among the users of this container" in str(walls_for(USER, uids=tmp_path / "uid_map"))
    (tmp_path / "uid_map").write_text("0 100000 1\n65534 165534 1\n")
    assert isinstance(walls_for(USER, uids=tmp_path / "uid_map"), Walls)
    assert isinstance(walls_for(USER, uids=tmp_path / "gone"), Walls)


@ROOT
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv")
def test_a_child_that_cannot_become_the_user_says_so() -> None:
    walls = walls_for(USER)
    assert isinstance(walls, Walls)
    with pytest.raises(TransientError) as caught:
        Walls(USER, walls.uid, walls.gid, powerless).start("pawld.install.archive.behind_walls", "reads archives")
    assert "it cannot give up what it has" in caught.value.message


def test_nobody_but_root_has_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "pawld is not root here" in str(walls_for(USER, "linux"))


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("Uid:\t65534\t65534\t0\t65534", "Uid 65534 65534 0 65534"),
        ("Gid:\t0\t0\t0\t0", "Gid 0 0 0 0"),
        ("Groups:\t0 27", "Groups 0 27"),
        ("NoNewPrivs:\t0", "NoNewPrivs 0"),
        ("CapPrm:\t00000000000000c0", "CapPrm 00000000000000c0"),
        ("CapAmb:\t0000000000000001", "CapAmb 0000000000000001"),
    ],
)
def test_what_a_child_has_not_given_up_is_named(line: str, held: str, tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text(GIVEN_UP)
    assert still_held(status, 65534, 65534) == ""
    status.write_text(GIVEN_UP + line + "\n")
    assert still_held(status, 65534, 65534) == held


def test_a_child_that_cannot_be_looked_at_is_not_believed(tmp_path: Path) -> None:
    assert still_held(tmp_path / "gone", 1, 1) == "a status that cannot be read"
    (tmp_path / "short").write_text("Name:\tx\n")
    assert "NoNewPrivs ?" in still_held(tmp_path / "short", 1, 1)


@ROOT
def test_a_program_that_is_not_there_is_told() -> None:
    walls = walls_for(USER)
    assert isinstance(walls, Walls)
    nowhere = Walls(walls.user, walls.uid, walls.gid, lambda _: ["/no/such/program"])
    with pytest.raises(TransientError) as caught:
        nowhere.start("module", "reads archives")
    assert caught.value.reason is Reason.READER_FAILED
    assert "that reads archives failed: it does not start: No such file" in caught.value.message


@ROOT
def test_one_that_may_not_be_killed_by_root_is_killed_by_its_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    child = lying("silence").start("module", "reads archives")
    child.channel.send(b"?")  # it sleeps from here on, and does not see that nobody listens any more

    def forbidden() -> None:
        raise PermissionError

    monkeypatch.setattr(child._process, "kill", forbidden)
    monkeypatch.setattr("pawld.system.walls.child._SELF", timedelta(milliseconds=50))
    child.end()
    assert child._process.returncode == -9


def test_a_frozen_pawld_starts_its_children_by_its_own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command_of("pawld.x")[-2:] == ["-m", "pawld.x"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command_of("pawld.x") == [sys.executable, FROZEN, "pawld.x"]


class NotOurs(subprocess.Popen[bytes]):
    """A child that this process may not kill, as it is to a root without CAP_KILL."""

    def kill(self) -> None:
        raise PermissionError


@ROOT
@pytest.mark.parametrize(("command", "code"), [(["sleep", "60"], -signal.SIGKILL), (["true"], 0)])
def test_whom_root_may_not_kill_ends_by_itself_or_by_its_own_user(command: list[str], code: int) -> None:
    uid = 65534
    with NotOurs(command, user=uid) as child:
        kill(child, uid, timedelta(seconds=0.2 if code else 20))
        assert child.wait(60) == code


@ROOT
def test_who_is_started_to_kill_is_given_nothing_of_the_environment_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child to kill has the same user, and may be the one who reads environments."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as place,
        NotOurs(["sleep", "60"], user=65534, env=bare_environment()) as child,
    ):
        Path(place).chmod(0o777)
        monkeypatch.setenv("LD_DEBUG", "statistics")  # the loader of programs tells by a file that it was given these
        monkeypatch.setenv("LD_DEBUG_OUTPUT", f"{place}/given")
        kill(child, 65534)
        assert child.wait(60) == -signal.SIGKILL
        assert list(Path(place).iterdir()) == []


@ROOT
def test_one_that_stops_whatever_its_user_starts_is_killed_all_the_same() -> None:
    uid = 64321  # nobody else's: it stops every process that it may
    stopping = ["perl", "-e", "$|=1; print qq(up\n); while (1) { kill q(STOP), -1 }"]
    for _ in range(5):
        with NotOurs(stopping, user=uid, env=bare_environment(), stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            kill(child, uid)
            try:
                assert child.wait(5) == -signal.SIGKILL
            finally:
                super(NotOurs, child).kill()


@ROOT
def test_who_kills_it_stays_root_by_its_real_and_its_saved_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of these two the kernel asks before it lets somebody of that user stop or kill it."""
    taken: list[tuple[int, ...]] = []
    monkeypatch.setattr(os, "setresuid", lambda *ids: taken.append(ids))
    with subprocess.Popen(["sleep", "60"]) as child:
        killing.main(["65534", str(child.pid)])
        assert child.wait(10) == -signal.SIGKILL
    assert taken == [(-1, 65534, -1)]
