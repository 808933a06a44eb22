"""The update, cut or failing at each mutating call of this process."""

import errno
from pathlib import Path

import pytest
from crash.cuts import PowerCut, calls_of, fault, power_cut
from crash.figures import tell
from crash.world import NEW, OLD, VARIANTS, fresh, install_old, left_over, names_in, running_version, update

from pawld.errors import OperatorError, TransientError
from pawld.install.pointer import LinkPointer

ERRORS = {one: getattr(errno, one) for one in ("ENOSPC", "EIO", "EROFS", "EDQUOT", "EXDEV", "EACCES", "EMFILE")}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    install_old(tmp_path / "template")
    return tmp_path / "template"


def _points(template: Path, root: Path) -> int:
    fresh(template, root)
    return len(calls_of(lambda: update(root)))


def _cut_everywhere(template: Path, root: Path) -> tuple[int, list[str]]:
    """Return the number of points, and what was wrong at each that was."""
    points, bad = _points(template, root), []
    for at in range(1, points + 2):
        fresh(template, root)
        reported: list[int] = []
        try:
            with power_cut(at) as calls:
                update(root, lambda: reported.append(1))  # noqa: B023 - it is called at once
        except PowerCut as cut:
            found = running_version(root)
            wrong = found not in {OLD, NEW} or (reported and found != NEW)
            bad += [f"cut at {at} ({cut}): {found}"] if wrong else []
        else:
            assert at == points + 1, f"{len(calls.names)} calls came, and the cut at {at} hit none"
        update(root)
        if running_version(root) != NEW or left_over(root):
            bad.append(f"after the cut at {at}: {running_version(root)} {left_over(root)}")
    return points, bad


def test_a_cut_at_any_call_leaves_the_old_or_the_new_version_and_a_rerun_ends_it(
    template: Path, tmp_path: Path
) -> None:
    points, bad = _cut_everywhere(template, tmp_path / "root")

    tell(f"in-process cuts: {points} points, {len(bad)} bad")
    assert points > 40
    assert bad == []


def test_the_cuts_catch_a_pointer_that_is_unlinked_first(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LinkPointer, "move", LinkPointer.move)  # what the variant changes is put back afterwards
    VARIANTS["unlink_first"]()

    _, bad = _cut_everywhere(template, tmp_path / "root")

    tell(f"in-process cuts, unlink first: {len(bad)} bad: {bad}")
    assert any("no current" in one for one in bad)


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("name", sorted(ERRORS))
def test_a_fault_of_the_disk_at_any_call_leaves_the_old_or_the_new_version(
    template: Path, tmp_path: Path, name: str, lasting: bool
) -> None:
    root = tmp_path / "root"
    points, refused, bad = _points(template, root), 0, []
    descriptors = len(names_in(Path("/dev/fd")))
    for at in range(1, points + 1):
        fresh(template, root)
        try:
            with fault(at, ERRORS[name], lasting=lasting):
                update(root)
        except (TransientError, OperatorError) as error:
            refused += 1
            bad += [] if error.message.endswith(".") else [error.message]
        if running_version(root) not in {OLD, NEW}:
            bad.append(f"{name} at {at}: {running_version(root)}")
        update(root)
        if running_version(root) != NEW or left_over(root):
            bad.append(f"after {name} at {at}: {running_version(root)} {left_over(root)}")

    tell(f"{name} {'lasting' if lasting else 'once'}: {points} points, {refused} reported, {len(bad)} bad")
    assert bad == []
    assert refused > points / 2
    assert len(names_in(Path("/dev/fd"))) == descriptors, "a descriptor leaked"
