"""Every state that a weak file system may leave of a whole update, the state database and the marks among it."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash.figures import tell
from crash.persistence import Image, LostWrite, State, image_of, states
from crash.trace import record
from crash.whole import ACTS, House, house_in, prepared, wrong_after, wrong_now

SEED = 20260101

pytestmark = pytest.mark.rig("strace")


@pytest.fixture
def house(memory: Path) -> Iterator[House]:
    with house_in(memory) as one:
        yield one


def _judge(
    house: House, name: str, variant: str, memory: Path, *, subsets: int, one_in: int = 1, until: str = ""
) -> tuple[Counter[str], list[str]]:
    """Record the command once, then start pawld on every different image, or on each *one_in*-th of them.

    It ends early where it finds the fault that it looks for, *until*.
    """
    act = ACTS[name]
    prepared(house, act, memory)
    recording = record(
        house.command(*act.words, variant=variant),
        house.home,
        memory / "log",
        promise=act.report.encode(),
        begun=True,
    )
    _check_model(image_of(recording, _whole(len(recording.operations))), house)
    figures: Counter[str] = Counter(operations=len(recording.operations))
    bad: list[str] = []
    seen: set[tuple[str, bool]] = set()
    for state in states(recording, seed=SEED, subsets=subsets):
        figures["states"] += 1
        image = image_of(recording, state)
        key = (image.fingerprint(), state.committed)
        if key in seen:
            continue
        seen.add(key)
        if len(seen) % one_in:
            continue
        figures["images"] += 1
        shutil.rmtree(house.home)
        image.write_to(house.home)
        said = act.report.encode() if state.committed else b""
        wrong = wrong_now(house, act, said) or wrong_after(house, act)
        if wrong:
            after = recording.operations[state.upto - 1].text
            bad.append(f"{wrong}: after {after!r}, without {state.lost[:3]}")
        if until and until in wrong:
            break
    return figures, bad


def _whole(upto: int) -> State:
    return State(upto, frozenset(range(upto)), LostWrite.NOTHING, committed=True, lost=())


def _check_model(image: Image, house: House) -> None:
    """What the model makes of the whole recording has to be what is on disk, byte for byte."""
    made = house.home.with_name("model")
    image.write_to(made)
    assert _everything_in(made) == _everything_in(house.home)
    shutil.rmtree(made)


def _everything_in(top: Path) -> dict[str, bytes]:
    return {str(one.relative_to(top)): one.read_bytes() if one.is_file() else b"" for one in top.rglob("*")}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "one_in"), [("update", 5), ("rollback", 2)])
def test_every_legal_state_of_the_disk_in_a_whole_command_runs_and_can_be_finished(
    name: str, one_in: int, house: House, memory: Path
) -> None:
    figures, bad = _judge(house, name, "good", memory, subsets=2, one_in=one_in)

    tell(f"disk states, whole {name}, seed {SEED}: {dict(figures)}, {len(bad)} bad")
    assert figures["images"] > 100
    assert bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_every_legal_state_of_the_disk_in_a_long_campaign_runs_and_can_be_finished(
    name: str, house: House, memory: Path
) -> None:
    figures, bad = _judge(house, name, "good", memory, subsets=10)

    tell(f"disk states, whole {name}, long, seed {SEED}: {dict(figures)}, {len(bad)} bad")
    assert bad == []


@pytest.mark.parametrize(
    ("variant", "catch"),
    [("no_sync", "BROKEN"), ("no_directory_sync", "BROKEN"), ("unlink_first", "BROKEN"), ("lazy_marks", "mark")],
)
def test_the_states_catch_a_whole_update_that_is_broken_on_purpose(
    variant: str, catch: str, house: House, memory: Path
) -> None:
    figures, bad = _judge(house, "update", variant, memory, subsets=0, one_in=5, until=catch)

    tell(f"disk states, whole update, {variant}: {dict(figures)}; {len(bad)} bad, for example {bad[:1]}")
    assert any(catch in one for one in bad)
