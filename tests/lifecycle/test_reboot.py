"""An installer that is done only after the next start of the host: the update stands, and it says so."""

from dataclasses import replace
from pathlib import Path

from support import world as worlds
from support.world import World

from pawld.lifecycle.agent import Agent
from pawld.reasons import Reason

SENTENCE = "Windows has to be restarted to finish it; pawld does not do that."


class Restarting(worlds._Disk):
    """Ends every installation as msiexec does with 3010."""

    def reboot_needed(self) -> str | None:
        return SENTENCE


class Windows(World):
    @property
    def agent(self) -> Agent:
        return replace(super().agent, installer=Restarting(self))


def test_an_update_that_needs_a_restart_is_done_and_says_so_until_the_next_one(tmp_path: Path) -> None:
    world = Windows(tmp_path)
    world.publish("1.0.0", 1)
    outcome = world.update()
    assert outcome.reason is Reason.NEEDS_REBOOT
    assert outcome.message == f"Updated to 1.0.0, which proved itself. {SENTENCE}"
    assert world.installed == "1.0.0"
    with world._ledger() as ledger:
        assert ledger.state.state == "idle"
        assert not ledger.blocklist.all(), "it is no fault of the build"
    assert world.update().reason is Reason.UP_TO_DATE
