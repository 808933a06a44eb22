"""What an operator orders by hand, and what recovery mends."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.world import World

from pawld.errors import OperatorError, TransientError
from pawld.lifecycle.operate import Operation
from pawld.reasons import Reason


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    for version, sequence in (("1.0.0", 1), ("1.1.0", 2)):
        world.publish(version, sequence)
        world.update()
    return world


def test_rollback_goes_to_the_previous_slot_and_blocks_the_one_left(world: World) -> None:
    world.roll_back()

    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    world.clock.wall += timedelta(days=365)
    assert world.update().reason is Reason.BUILD_BLOCKED


def test_a_rollback_that_the_disk_refuses_leaves_the_agent_running(world: World) -> None:
    world.fail("activate", TransientError(Reason.IO_FAILED, "The disk failed."))

    with pytest.raises(TransientError, match="The disk failed"):
        world.roll_back()

    assert (world.installed, world.running) == ("1.1.0", "1.1.0")


def test_unblock_lets_the_build_in_again(world: World) -> None:
    world.roll_back()

    with world._ledger() as ledger:
        lifted = Operation(world.agent, ledger).unblock("1.1.0")

    assert [one.version for one in lifted] == ["1.1.0"]
    assert world.update().reason is Reason.UPDATED


def test_unblock_of_what_is_not_blocked_is_a_usage_error(world: World) -> None:
    with world._ledger() as ledger, pytest.raises(OperatorError, match=r"9\.9\.9") as caught:
        Operation(world.agent, ledger).unblock("9.9.9")
    assert caught.value.reason is Reason.USAGE


def test_a_version_blocked_by_name_is_not_installed(world: World) -> None:
    with world._ledger() as ledger:
        Operation(world.agent, ledger).block("1.2.0", "")
    world.publish("1.2.0", 3)

    assert world.update().reason is Reason.BUILD_BLOCKED


def test_rollback_without_an_intact_earlier_slot_changes_nothing(world: World) -> None:
    world.damaged = {one.name for one in world.slots_on_disk if one.version == "1.0.0"}

    with pytest.raises(TransientError) as caught:
        world.roll_back()

    assert caught.value.reason is Reason.NO_PREVIOUS_SLOT
    assert world.running == "1.1.0"


def test_recover_goes_to_the_last_good_slot_when_current_is_damaged(world: World) -> None:
    world.damaged = {world.pointer or ""}

    (said,) = world.recover()

    assert "damaged" in said
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")


def test_recover_finds_a_slot_when_nothing_is_current(world: World) -> None:
    world.pointer = None
    world.running = None

    world.recover()

    assert world.installed == "1.1.0"
    assert world.running is None


def test_recover_leaves_a_damaged_agent_alone_when_there_is_nothing_better(world: World) -> None:
    world.damaged = {one.name for one in world.slots_on_disk}

    (said,) = world.recover()

    assert "next update replaces it" in said
    assert world.running == "1.1.0"


def test_recover_says_what_it_freed(world: World) -> None:
    for sequence in (3, 4, 5):
        world.publish(f"1.{sequence}.0", sequence)
        world.fail("sweep", TransientError(Reason.IO_FAILED, "The disk is sick."))
        world.update()

    said = world.recover()

    assert any("bytes are free again" in one for one in said)
    assert len(world.slots_on_disk) == world.limits.keep


def test_a_lost_database_is_begun_anew_and_the_agent_keeps_running(world: World, tmp_path: Path) -> None:
    database = tmp_path / "state" / "pawld.db"
    database.write_bytes(b"not a database at all" * 100)

    assert world.update().reason is Reason.UP_TO_DATE

    assert list(database.parent.glob("pawld.db.damaged-*"))
    assert world.running == "1.1.0"
