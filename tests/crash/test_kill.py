"""A real process that updates, killed before each system call that changes something."""

import sys
from pathlib import Path

import pytest
from crash.figures import tell
from crash.killer import Program, kill_at, points_of
from crash.parts import Findings, Part, campaign
from crash.trace import COMMITTED
from crash.world import ACTS, NEW, OLD, PREPARED, fresh, left_over, running_version

pytestmark = pytest.mark.rig("strace")


def _killed(variant: str, act: str, part: Part) -> Findings:
    prepare, goal = PREPARED[act]
    template, root = part.place / "template", part.place / "root"
    prepare(template)

    def judge(output: bytes) -> str:
        found = running_version(root)
        if found not in {OLD, NEW} or (COMMITTED in output and found != goal):
            return found
        ACTS[act](root, lambda: None)
        found, left = running_version(root), left_over(root, goal)
        return "" if found == goal and not left else f"not finished: {found} {left}"

    target = Program([sys.executable, "-B", str(Path(__file__).parent / "world.py"), variant, act, str(root)])
    fresh(template, root)
    points = points_of(target, part.place / "log")
    return kill_at(target, part.mine(points), lambda: fresh(template, root), judge)


@pytest.mark.parametrize("act", sorted(PREPARED))
def test_a_kill_before_any_system_call_leaves_the_old_or_the_new_version_and_a_rerun_ends_it(
    act: str, memory: Path
) -> None:
    found = campaign(lambda part: _killed("good", act, part), memory)

    tell(f"kill at every system call, {act}: {dict(found.figures)}, {found.bad}")
    assert found.figures["points"] == found.figures["killed"] > 15
    assert found.bad == []


def test_the_kills_catch_a_pointer_that_is_unlinked_first(memory: Path) -> None:
    found = campaign(lambda part: _killed("unlink_first", "rollback", part), memory)

    tell(f"kill at every system call, unlink first: {dict(found.figures)}, bad: {found.bad}")
    assert any("no current" in one for one in found.bad)
