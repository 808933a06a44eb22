"""A real process that updates, killed before each system call that changes something."""

import sys
from pathlib import Path

import pytest
from crash.figures import tell
from crash.killer import Campaign, Target, kill_everywhere
from crash.trace import COMMITTED
from crash.world import ACTS, NEW, OLD, PREPARED, fresh, left_over, running_version

pytestmark = pytest.mark.rig("strace")


def _campaign(variant: str, act: str, tmp_path: Path, every: int = 1) -> Campaign:
    prepare, goal = PREPARED[act]
    template, root = tmp_path / "template", tmp_path / "root"
    prepare(template)

    def judge(output: bytes) -> str:
        found = running_version(root)
        if found not in {OLD, NEW} or (COMMITTED in output and found != goal):
            return found
        ACTS[act](root, lambda: None)
        found, left = running_version(root), left_over(root, goal)
        return "" if found == goal and not left else f"not finished: {found} {left}"

    command = [sys.executable, "-B", str(Path(__file__).parent / "world.py"), variant, act, str(root)]
    target = Target(command)
    return kill_everywhere(target, tmp_path / "log", lambda: fresh(template, root), judge, every=every)


@pytest.mark.parametrize("act", sorted(PREPARED))
def test_a_kill_before_any_system_call_leaves_the_old_or_the_new_version_and_a_rerun_ends_it(
    act: str, tmp_path: Path
) -> None:
    campaign = _campaign("good", act, tmp_path)

    tell(f"kill at every system call, {act}: {campaign.points} points, {campaign.killed} killed, {campaign.bad}")
    assert campaign.points == campaign.killed > 15
    assert campaign.bad == []


def test_the_kills_catch_a_pointer_that_is_unlinked_first(tmp_path: Path) -> None:
    campaign = _campaign("unlink_first", "rollback", tmp_path)

    tell(f"kill at every system call, unlink first: {campaign.points} points, bad: {campaign.bad}")
    assert any("no current" in one for one in campaign.bad)
