"""Patches whose differences are applied behind walls make the same slots, or none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.liars import USER, lying
from support.patches import File, Pair, PatchHost, content_of, edited, packed, program

from pawld.errors import TransientError
from pawld.install.patching.engine import Engine
from pawld.reasons import Reason
from pawld.system.walls import Walls, walls_for

pytest.importorskip("hdiffpatch")
pytestmark = pytest.mark.rig("root")

OLD, NEW = program(1, 50_000), edited(program(1, 50_000), 5)


@pytest.fixture
def walls() -> Walls:
    found = walls_for(USER)
    assert isinstance(found, Walls)
    return found


@pytest.mark.parametrize("form", ["tar.gz", "file"])
def test_a_patched_slot_is_the_one_that_the_full_build_makes(form: str, walls: Walls, tmp_path: Path) -> None:
    old, new = (OLD, NEW) if form == "file" else (packed({"bin/acme": File(one, 0o755)}) for one in (OLD, NEW))
    pair = Pair(tmp_path / "pair", old, new, form)
    try:
        host = PatchHost(tmp_path / "root", pair, walls=walls)
        made = content_of(slot := host.patched())
        host.forget(slot)
        assert made == content_of(host.whole())
    finally:
        pair.close()


def test_the_child_has_given_up_everything_before_it_is_asked(walls: Walls) -> None:
    with Engine(walls=walls) as one:
        assert walls.still_held(one._process.pid) == ""


def test_one_that_keeps_its_privileges_is_not_asked() -> None:
    with pytest.raises(TransientError) as caught, Engine(walls=lying("privileges kept at a pipe")):
        pass
    assert caught.value.reason is Reason.PATCH_FAILED
    assert "still has Uid 0 0 0 0" in caught.value.message


def test_one_that_ends_at_once_is_told(walls: Walls) -> None:
    nothing = Walls(walls.user, walls.uid, walls.gid, lambda _: ["/bin/false"])
    with pytest.raises(TransientError) as caught, Engine(walls=nothing):
        pass
    assert "its child process ended with 1" in caught.value.message


def test_what_a_turned_child_says_last_cannot_move_the_cursor() -> None:
    with Engine(walls=lying("words at a pipe")) as one, pytest.raises(TransientError) as caught:
        list(one.applied(1, [b"a"], 1, [b"b"], 1))
    assert "?[2Jupdated?" in caught.value.message
    assert caught.value.message.isprintable()


HANGS = """
from datetime import timedelta
from support.liars import lying
from pawld.errors import TransientError
from pawld.install.patching.engine import Engine
try:
    with Engine(timedelta(seconds=0.5), lying("silence at a pipe")) as one:
        list(one.applied(1, [b"a"], 1, [b"b"], 1))
except TransientError as error:
    print(error.message)
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv")
def test_a_child_that_hangs_is_ended_by_a_root_that_may_kill_nobody() -> None:
    """As pawld's own unit has it, which holds no CAP_KILL."""
    tests = Path(__file__).parents[3]
    finished = subprocess.run(
        ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill", sys.executable, "-c", HANGS],
        env={**os.environ, "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.stdout == "The patch cannot be used: its child process ended with -9.\n", finished.stderr
    assert finished.stderr == ""
