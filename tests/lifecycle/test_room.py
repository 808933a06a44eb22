"""What room a build is said to need before it comes, and once it is here."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.world import World

from pawld.errors import TransientError
from pawld.lifecycle.agent import Supply
from pawld.reasons import Reason

MiB = 1024**2
GUESS = 64 * MiB


class Disk(World):
    """A world whose disk says how much is free."""

    free = 1024**4
    free_once_it_came = 1024**4
    asked: tuple[int, ...] = ()

    @property
    def supply(self) -> Supply:
        supply: Supply = super().supply
        return replace(supply, preflight=self.room)

    def room(self, path: Path, needed: int) -> None:
        del path
        self.asked = (*self.asked, needed)
        if needed > (self.free_once_it_came if "fetch" in self.acts else self.free):
            raise TransientError(Reason.DISK_FULL, f"{needed} bytes are not free.")


@pytest.fixture
def world(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def test_a_build_of_unknown_length_needs_what_came_and_not_what_might_have_come(world: Disk) -> None:
    world.publish("1.0.0", 1, length=2048 * MiB, length_signed=False)
    world.free = GUESS

    assert world.update().reason is Reason.UPDATED

    assert world.asked == (GUESS, len(b"bytes"))


def test_a_build_of_known_length_is_asked_room_for_before_it_comes(world: Disk) -> None:
    world.publish("1.0.0", 1, length=2048 * MiB)
    world.free = 4095 * MiB

    assert world.update().reason is Reason.DISK_FULL

    assert world.asked == (4096 * MiB,)
    assert "fetch" not in world.acts


def test_no_room_to_unpack_keeps_what_came_for_the_next_time(world: Disk) -> None:
    world.publish("1.0.0", 1, length=2048 * MiB, length_signed=False)
    world.free_once_it_came = 4

    assert world.update().reason is Reason.DISK_FULL

    assert world.installed is None
    assert "stage" not in world.acts
    assert len(list(world.tmp_path.glob("*.unverified"))) == 1
