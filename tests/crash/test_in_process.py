"""The update, cut or failing at each mutating call of this process."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from crash.cuts import PowerCut, calls_of, fault, power_cut
from crash.figures import tell
from crash.world import (
    NEW,
    OLD,
    VARIANTS,
    fresh,
    install_both,
    install_old,
    left_over,
    names_in,
    rollback,
    running_version,
    update,
)

from pawld.errors import OperatorError, TransientError
from pawld.install.pointer import LinkPointer

ERRORS = {one: getattr(errno, one) for one in ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EXDEV", "EACCES", "EMFILE")}


@dataclass(frozen=True, slots=True)
class Change:
    """What is interrupted: from which root, by which act, to which version."""

    prepare: Callable[[Path], None]
    act: Callable[[Path, Callable[[], object]], None]
    goal: str


CHANGES = {"update": Change(install_old, update, NEW), "rollback": Change(install_both, rollback, OLD)}


@pytest.fixture(params=sorted(CHANGES))
def change(request: pytest.FixtureRequest) -> Change:
    return CHANGES[request.param]


def _template(change: Change, memory: Path) -> Path:
    change.prepare(memory / "template")
    return memory / "template"


def _points(change: Change, root: Path) -> int:
    return len(calls_of(lambda: change.act(root, lambda: None)))


def _unfinished(change: Change, root: Path) -> str:
    """Finish the change, and return what is wrong then."""
    change.act(root, lambda: None)
    left = left_over(root, change.goal)
    return "" if running_version(root) == change.goal and not left else f"{running_version(root)} {left}"


def _cut_everywhere(change: Change, memory: Path) -> tuple[int, list[str]]:
    """Return the number of points, and what was wrong at each that was."""
    template, root, bad = _template(change, memory), memory / "root", list[str]()
    points = _points(change, fresh(template, root))
    for at in range(1, points + 1):
        fresh(template, root)
        reported: list[int] = []
        with pytest.raises(PowerCut) as cut, power_cut(at):
            change.act(root, lambda: reported.append(1))  # noqa: B023 - it is called at once
        found = running_version(root)
        wrong = found not in {OLD, NEW} or (reported and found != change.goal)
        bad += [f"cut at {at} ({cut.value}): {found}"] if wrong else []
        unfinished = _unfinished(change, root)
        bad += [f"after the cut at {at}: {unfinished}"] if unfinished else []
    return points, bad


def test_a_cut_at_any_call_leaves_the_old_or_the_new_version_and_a_rerun_ends_it(change: Change, memory: Path) -> None:
    points, bad = _cut_everywhere(change, memory)

    tell(f"in-process cuts, to {change.goal}: {points} points, {len(bad)} bad")
    assert points > 15
    assert bad == []


def test_the_cuts_catch_a_pointer_that_is_unlinked_first(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinkPointer, "move", LinkPointer.move)  # what the variant changes is put back afterwards
    VARIANTS["unlink_first"]()

    _, bad = _cut_everywhere(CHANGES["update"], memory)

    tell(f"in-process cuts, unlink first: {len(bad)} bad: {bad}")
    assert any("no current" in one for one in bad)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("name", sorted(ERRORS))
def test_a_fault_of_the_disk_at_any_call_is_reported_and_leaves_the_old_or_the_new_version(
    change: Change, memory: Path, name: str, lasting: bool
) -> None:
    template, root, bad = _template(change, memory), memory / "root", list[str]()
    points, refused = _points(change, fresh(template, root)), 0
    descriptors = len(names_in(Path("/dev/fd")))
    for at in range(1, points + 1):
        fresh(template, root)
        try:
            with fault(at, ERRORS[name], lasting=lasting):
                change.act(root, lambda: None)
        except (TransientError, OperatorError) as error:
            refused += 1
            bad += [] if error.message.endswith(".") else [error.message]
        if running_version(root) not in {OLD, NEW}:
            bad.append(f"{name} at {at}: {running_version(root)}")
        unfinished = _unfinished(change, root)
        bad += [f"after {name} at {at}: {unfinished}"] if unfinished else []

    how = "lasting" if lasting else "once"
    tell(f"{name} {how}, to {change.goal}: {points} points, {refused} reported, {len(bad)} bad")
    assert bad == []
    assert refused > points / 2
    assert len(names_in(Path("/dev/fd"))) == descriptors, "a descriptor leaked"


def test_a_damaged_current_slot_is_mended_without_a_moment_in_which_its_program_is_missing(memory: Path) -> None:
    install_both(memory / "template")
    root, bad = memory / "root", list[str]()
    damaged = Path("current", "etc", "agent.conf")
    (memory / "template" / damaged).write_bytes(b"")

    for at in range(1, 1000):
        fresh(memory / "template", root)
        program = (root / "current/bin/agent").read_bytes()
        try:
            with power_cut(at):
                update(root)
        except PowerCut as cut:
            now = (root / "current/bin/agent").read_bytes() if (root / "current/bin/agent").exists() else b""
            bad += [] if now == program else [f"cut at {at} ({cut})"]
        else:
            break
        update(root)
        bad += [] if running_version(root) == NEW and not left_over(root) else [f"after {at}: {left_over(root)}"]

    tell(f"in-process cuts, mending the current slot: {at - 1} points, {len(bad)} bad")
    assert running_version(root) == NEW
    assert bad == []
    assert at > 40
