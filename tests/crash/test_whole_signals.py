"""A command that a person or a service manager ends in its middle leaves the agent running, whatever it was at."""

import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from crash.cuts import calls_of, watching
from crash.figures import tell
from crash.parts import Findings, Part, campaign
from crash.whole import ACTS, Act, House, house_in, prepared, wrong_after, wrong_now

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _asked(house: House, act: Act, number: signal.Signals, at: int) -> str:
    """Send the signal at that call, and return what is wrong once the command has ended."""
    idle = False

    def ask(position: int, _name: str) -> None:
        nonlocal idle
        if position == at:
            idle = signal.getsignal(number) is signal.default_int_handler and not house.serves()
            signal.raise_signal(number)

    with suppress(KeyboardInterrupt), watching(ask):
        act.do(house)
    # Before it listens it has begun nothing, nor an agent that it found stopped.
    wrong = wrong_now(house, act) or ("" if idle or house.serves() else "no agent runs")
    return wrong or wrong_after(house, act)


def _ask_everywhere(part: Part, *, name: str, step: int) -> Findings:
    """Ask at each *step*-th call, beginning at another one for each signal."""
    act, found = ACTS[name], Findings()
    for one in SIGNALS:
        signal.signal(one, signal.default_int_handler)  # while pawld does not listen, they would end this process
    with house_in(part.place, service=True) as house:
        renew = prepared(house, act, part.place)
        points = len(calls_of(lambda: act.do(house)))
        moments = [(one, at) for first, one in enumerate(SIGNALS, 1) for at in range(first, points + 1, step)]
        for number, at in part.mine(moments):
            renew()
            found.count("points", _asked(house, act, number, at), f"{number.name} at {at} of {points}")
    return found


@pytest.mark.parametrize(("name", "step"), [("update", 61), ("recover", 13)])
def test_a_signal_in_the_middle_of_a_command_leaves_the_agent_running_and_the_next_ends_it(
    name: str, step: int, memory: Path
) -> None:
    found = campaign(partial(_ask_everywhere, name=name, step=step), memory)

    tell(f"signals, whole {name}, 1 call in {step}: {dict(found.figures)}, bad: {found.bad}")
    assert found.figures["points"] > 3
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_signal_at_any_call_of_a_command_leaves_the_agent_running(name: str, memory: Path) -> None:
    found = campaign(partial(_ask_everywhere, name=name, step=1), memory)

    tell(f"signals, whole {name}: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []
