"""Patches whose differences are applied behind walls make the same slots, or none."""

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
