"""Every state that a weak file system may leave on disk, from one recording of the update's system calls."""

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash.figures import tell
from crash.persistence import State, image_of, states
from crash.trace import Recording, record
from crash.world import NEW, OLD, install_old, left_over, running_version, update

SEED = 20260101
SUBSETS = 10  # random ones for each crash point
TESTS = Path(__file__).parent.parent
WORLD = TESTS / "crash" / "world.py"

pytestmark = pytest.mark.rig("strace")


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory in memory where there is one: thousands of trees are made in it."""
    fast = Path("/dev/shm")
    with TemporaryDirectory(dir=fast if fast.is_dir() else None) as made:
        yield Path(made)


def _recorded(variant: str, memory: Path) -> Recording:
    root = memory / "recorded"
    install_old(root)
    command = [sys.executable, "-B", str(WORLD), variant, "update", str(root)]
    return record(command, root, memory / "log", {"PYTHONPATH": str(TESTS)})


def _wrong(found: str, state: State) -> str:
    if found not in {OLD, NEW}:
        return "broken"
    return "lost commit" if state.committed and found != NEW else ""


def _judge(recording: Recording, memory: Path) -> tuple[Counter[str], list[str]]:
    """Look at every state, and finish the update from each different one; return figures and examples."""
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
            update(root)
            if running_version(root) != NEW or left_over(root):
                figures["not mended"] += 1
                examples.append(f"not mended: {running_version(root)} {left_over(root)}")
            shutil.rmtree(root)
        wrong = _wrong(seen[key], state)
        if wrong:
            figures[wrong] += 1
            after = recording.operations[state.upto - 1].text
            examples.append(f"{wrong}: after {after!r}, without {state.lost[:3]}: {seen[key]}")
    figures["images"] = len(seen)
    return figures, examples


@pytest.mark.parametrize("variant", ["good", "syncfs"])
def test_every_legal_state_of_the_disk_runs_the_old_or_the_new_version_and_can_be_finished(
    variant: str, memory: Path
) -> None:
    figures, examples = _judge(_recorded(variant, memory), memory)

    tell(f"disk states, {variant}, seed {SEED}: {dict(figures)}")
    assert figures["states"] > 500
    assert examples == []


@pytest.mark.parametrize(
    ("variant", "catch"),
    [("no_sync", "broken"), ("no_directory_sync", "lost commit"), ("unlink_first", "broken")],
)
def test_the_states_catch_an_update_that_is_broken_on_purpose(variant: str, catch: str, memory: Path) -> None:
    figures, examples = _judge(_recorded(variant, memory), memory)

    tell(f"disk states, {variant}, seed {SEED}: {dict(figures)}; for example {examples[:2]}")
    assert figures[catch] > 0
