"""What else is done on a host, and with other kinds of builds: cut or failing at each call that changes the disk."""

from functools import partial
from pathlib import Path

import pytest
from crash.campaigns import SCENES, cut_everywhere, fail_everywhere, misread_everywhere
from crash.figures import tell
from crash.others import OTHERS
from crash.parts import campaign


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(OTHERS))
def test_another_act_cut_at_any_call_leaves_a_whole_agent_and_is_finished_by_the_next(name: str, memory: Path) -> None:
    found = campaign(partial(cut_everywhere, scene=OTHERS[name]), memory)

    tell(f"in-process cuts, {name}: {found.figures['points']} points, bad: {found.bad}")
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(OTHERS))
def test_a_fault_of_the_disk_at_any_call_of_another_act_leaves_the_agent_running(name: str, memory: Path) -> None:
    found = campaign(partial(fail_everywhere, scene=OTHERS[name], step=1), memory)

    tell(f"errno, {name}, once and lasting: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted({**SCENES, **OTHERS}))
def test_whatever_cannot_be_read_the_agent_runs_on_and_the_next_start_ends_it(name: str, memory: Path) -> None:
    found = campaign(partial(misread_everywhere, scene={**SCENES, **OTHERS}[name], step=1), memory)

    tell(f"unreadable, {name}, once and lasting: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []
