"""Every state that a weak file system may leave of a whole update, the state database and the marks among it."""

import shutil
from itertools import islice
from pathlib import Path

import pytest
from crash.figures import tell
from crash.parts import Findings, Part, apart, campaign
from crash.persistence import Image, LostWrite, State, distinct, image_of
from crash.trace import Recording, record
from crash.whole import ACTS, House, house_in, prepared, wrong_after, wrong_now

SEED = 20260101
SWITCH = "rename opt/.current.new"

pytestmark = pytest.mark.rig("strace")


def _recorded(name: str, variant: str, part: Part) -> Recording:
    """Record the command once, and hold the model to what is on disk then."""
    with house_in(part.place) as house:
        act = ACTS[name]
        prepared(house, act, part.place)
        command = house.command(*act.words, variant=variant)
        log = part.place / "log"
        recording = record(command, house.home, log, promise=act.report.encode(), begun=True)
        _check_model(image_of(recording, _whole(len(recording.operations))), house)
        return recording


def _judge(recording: Recording, name: str, chosen: list[State], part: Part, until: str = "") -> Findings:
    """Start pawld on this part's images; *until* is the fault that is looked for, and ends it early."""
    act, found = ACTS[name], Findings()
    with house_in(part.place) as house:
        act.prepare(house)
        for state in part.mine(chosen):
            shutil.rmtree(house.home)
            image_of(recording, state).write_to(house.home)
            said = act.report.encode() if state.committed else b""
            wrong = wrong_now(house, act, said) or wrong_after(house, act)
            after = recording.operations[state.upto - 1].text
            found.count("images", wrong, f"after {after!r}, without {state.lost[:3]}")
            if until and until in wrong:
                break
    return found


def _enumerate(name: str, memory: Path, *, subsets: int, one_in: int) -> Findings:
    """Record the command, and start pawld on every different image, or on each *one_in*-th of them."""
    recording = apart(lambda part: _recorded(name, "good", part), memory)
    every = list(distinct(recording, seed=SEED, subsets=subsets))
    chosen = [state for state, first in every if first][::one_in]
    found = campaign(lambda part: _judge(recording, name, chosen, part), memory)
    found.figures.update(operations=len(recording.operations), states=len(every))
    return found


def _whole(upto: int) -> State:
    return State(upto, frozenset(range(upto)), LostWrite.NOTHING, committed=True, lost=())


def _check_model(image: Image, house: House) -> None:
    """What the model makes of the whole recording has to be what is on disk, byte for byte."""
    made = house.home.with_name("model")
    image.write_to(made)
    assert _everything_in(made) == _everything_in(house.home)


def _everything_in(top: Path) -> dict[str, bytes]:
    return {str(one.relative_to(top)): one.read_bytes() if one.is_file() else b"" for one in top.rglob("*")}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "one_in"), [("update", 5), ("rollback", 2)])
def test_every_legal_state_of_the_disk_in_a_whole_command_runs_and_can_be_finished(
    name: str, one_in: int, memory: Path
) -> None:
    found = _enumerate(name, memory, subsets=2, one_in=one_in)

    tell(f"disk states, whole {name}, seed {SEED}: {dict(found.figures)}, {len(found.bad)} bad")
    assert found.figures["images"] > 100
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_every_legal_state_of_the_disk_in_a_long_campaign_runs_and_can_be_finished(name: str, memory: Path) -> None:
    found = _enumerate(name, memory, subsets=10, one_in=1)

    tell(f"disk states, whole {name}, long, seed {SEED}: {dict(found.figures)}, {len(found.bad)} bad")
    assert found.bad == []


@pytest.mark.parametrize(
    ("variant", "catch", "begin"),
    [
        ("no_sync", "BROKEN", SWITCH),
        ("no_directory_sync", "BROKEN", SWITCH),
        ("unlink_first", "BROKEN", "unlink opt/current"),
        ("lazy_marks", "mark", "marks.json"),
    ],
)
def test_the_states_catch_a_whole_update_that_is_broken_on_purpose(
    variant: str, catch: str, begin: str, memory: Path
) -> None:
    recording = apart(lambda part: _recorded("update", variant, part), memory)
    new = (state for state, first in distinct(recording, seed=SEED, subsets=0, begin=begin) if first)
    chosen = list(islice(new, 300))

    found = campaign(lambda part: _judge(recording, "update", chosen, part, until=catch), memory)

    tell(f"disk states, whole update, {variant}: {dict(found.figures)}; {len(found.bad)} bad, such as {found.bad[:1]}")
    assert any(catch in one for one in found.bad)
