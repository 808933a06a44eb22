"""Every state that a weak file system may leave on disk, from one recording of the update's system calls."""

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from crash.figures import tell
from crash.persistence import State, image_of, states
from crash.trace import Recording, record
from crash.world import ACTS, NEW, OLD, PREPARED, left_over, running_version

SEED = 20260101
SUBSETS = 10  # random ones for each crash point
WORLD = Path(__file__).parent / "world.py"

pytestmark = pytest.mark.rig("strace")


def _recorded(variant: str, memory: Path, act: str = "update") -> Recording:
    root = memory / "recorded"
    PREPARED[act][0](root)
    command = [sys.executable, "-B", str(WORLD), variant, act, str(root)]
    return record(command, root, memory / "log")


def _wrong(found: str, state: State, goal: str) -> str:
    if found not in {OLD, NEW}:
        return "broken"
    return "lost commit" if state.committed and found != goal else ""


def _judge(recording: Recording, memory: Path, act: str = "update") -> tuple[Counter[str], list[str]]:
    """Look at every state, and finish the act from each different one; return figures and examples."""
    goal = PREPARED[act][1]
    figures: Counter[str] = Counter(operations=len(recording.operations))
    examples: list[str] = []
    seen: dict[str, str] = {}
    for state in states(recording, seed=SEED, subsets=SUBSETS):
        figures["states"] += 1
        image = image_of(recording, state)
        key = image.fingerprint()
        if key not in seen:
            root = memory / "image"
            image.write_to(root)
            seen[key] = running_version(root)
            ACTS[act](root, lambda: None)
            if running_version(root) != goal or left_over(root, goal):
                figures["not mended"] += 1
                examples.append(f"not mended: {running_version(root)} {left_over(root, goal)}")
            shutil.rmtree(root)
        wrong = _wrong(seen[key], state, goal)
        if wrong:
            figures[wrong] += 1
            after = recording.operations[state.upto - 1].text
            examples.append(f"{wrong}: after {after!r}, without {state.lost[:3]}: {seen[key]}")
    figures["images"] = len(seen)
    return figures, examples


@pytest.mark.parametrize(
    ("act", "variant", "at_least"), [("update", "good", 1000), ("update", "syncfs", 700), ("rollback", "good", 150)]
)
def test_every_legal_state_of_the_disk_runs_the_old_or_the_new_version_and_can_be_finished(
    act: str, variant: str, at_least: int, memory: Path
) -> None:
    figures, examples = _judge(_recorded(variant, memory, act), memory, act)

    tell(f"disk states, {act}, {variant}, seed {SEED}: {dict(figures)}")
    assert figures["states"] >= at_least
    assert examples == []


@pytest.mark.parametrize(
    ("variant", "catch"),
    [("no_sync", "broken"), ("no_directory_sync", "lost commit"), ("unlink_first", "broken")],
)
def test_the_states_catch_an_update_that_is_broken_on_purpose(variant: str, catch: str, memory: Path) -> None:
    figures, examples = _judge(_recorded(variant, memory), memory)

    tell(f"disk states, {variant}, seed {SEED}: {dict(figures)}; for example {examples[:2]}")
    assert figures[catch] > 0
