"""A service that names its slot by itself, as on Windows: recovery has it name the current one."""

from dataclasses import replace
from pathlib import Path

from support import world as worlds
from support.world import World

from pawld.lifecycle.agent import Agent
from pawld.model import Slot


class Pointing(worlds._Manager):
    """Knows where it leads, which is nowhere at first."""

    leads_to = ""

    def reconcile(self, slot: Slot) -> str | None:
        if self.leads_to == slot.name:
            return None
        self.leads_to = slot.name
        return f"It was pointed to {slot.version}."


class Windows(World):
    service: Pointing | None = None

    @property
    def agent(self) -> Agent:
        self.service = self.service or Pointing(self)
        return replace(super().agent, service=self.service)


def test_recovery_has_it_name_the_current_slot_once(tmp_path: Path) -> None:
    world = Windows(tmp_path)
    assert world.recover() == [], "nothing is installed"
    world.publish("1.0.0", 1)
    world.update()
    assert world.recover() == ["It was pointed to 1.0.0."]
    assert world.recover() == []
