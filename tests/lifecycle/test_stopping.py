"""An orderly stop drops what can be taken up again, finishes what cannot, and counts against no build."""

from datetime import timedelta

import pytest
from support.world import START, FakeClock, World

from pawld.lifecycle.cycle import Cycle
from pawld.lifecycle.states import Idle, Probation
from pawld.lifecycle.stopping import Stop, Stopping, left_behind
from pawld.ports import Event
from pawld.reasons import Reason

SECOND = timedelta(seconds=1)


def in_state(name: str) -> Event:
    return Event(START, "acme", name, Reason.IN_PROGRESS, "It is so.")


@pytest.mark.parametrize("state", ["idle", "downloading", "verifying", "staging", "waiting", "probation"])
def test_what_can_be_taken_up_again_ends_at_once(state: str) -> None:
    stop = Stop(FakeClock())
    stop.report(in_state(state))
    with pytest.raises(Stopping):
        stop.ask()


@pytest.mark.parametrize("state", ["swapping", "rolling_back"])
def test_between_the_stop_and_the_start_of_an_agent_there_is_no_ending(state: str) -> None:
    stop = Stop(FakeClock())
    stop.report(in_state(state))
    stop.ask()
    stop.sleep(SECOND)
    stop.report(in_state("probation"))
    with pytest.raises(Stopping):
        stop.sleep(SECOND)


def test_what_is_done_on_the_way_out_is_not_cut_short_as_well() -> None:
    stop = Stop(FakeClock())
    with pytest.raises(Stopping):
        stop.ask()
    stop.ask()
    stop.sleep(SECOND)
    assert (stop.now(), stop.monotonic()) == (START + SECOND, 1.0)


def stopped(world: World, state: str) -> str:
    """Run an update that is stopped once the agent is in *state*; return the sentence that is left behind."""
    with world._ledger() as ledger:

        def stop_there(event: Event) -> None:
            if event.state == state:
                raise Stopping

        ledger._reporters = [type("Told", (), {"report": staticmethod(stop_there)})()]
        with pytest.raises(Stopping):
            Cycle(world.agent, world.supply, ledger, world).update()
        outcome = left_behind(world.agent, ledger)
        assert outcome.reason is Reason.INTERRUPTED
        assert world.running == world.installed, "an agent that a swap had stopped runs again"
        return outcome.message


@pytest.fixture
def world(tmp_path: object) -> World:
    world = World(tmp_path)  # type: ignore[arg-type]  # pytest's path
    world.publish("1.0.0", 1)
    world.update()
    world.publish("1.1.0", 2)
    return world


def test_a_stopped_download_is_idle_and_interrupted(world: World) -> None:
    assert "was interrupted while downloading" in stopped(world, "downloading")
    with world._ledger() as ledger:
        assert isinstance(ledger.state, Idle)
    assert world.update().reason is Reason.UPDATED


def test_a_stopped_probation_goes_on_however_often_it_is_stopped(world: World) -> None:
    for _ in range(2 * world.limits.starts):
        assert "goes on at its next start" in stopped(world, "probation")
        with world._ledger() as ledger:
            assert isinstance(ledger.state, Probation)
    assert world.update().reason is Reason.UP_TO_DATE
    assert world.installed == "1.1.0"


def test_a_stopped_swap_is_carried_out_at_the_next_start(world: World) -> None:
    assert "goes on at its next start" in stopped(world, "swapping")
    world.update()
    assert world.installed == "1.1.0"
