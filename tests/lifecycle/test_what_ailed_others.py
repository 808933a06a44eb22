"""What other updaters did to their hosts, and this one does not."""

from pathlib import Path

import pytest
from support.world import World

from pawld.errors import RejectedError, TransientError
from pawld.reasons import Reason


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.publish("1.0.0", 1)
    assert world.update().reason is Reason.UPDATED
    world.acts.clear()
    return world


def test_an_expired_statement_stops_updates_and_never_the_agent(world: World) -> None:
    world.publish("1.1.0", 2)
    world.fail("record", *[RejectedError(Reason.METADATA_FROZEN, "The root expired.")] * 20)

    outcomes = {world.update().reason for _ in range(10)}
    world.recover()

    assert outcomes == {Reason.METADATA_FROZEN}
    assert (world.installed, world.running) == ("1.0.0", "1.0.0")
    assert not {"stop", "activate", "start 1.0.0"} & set(world.acts)


def test_a_channel_that_takes_turns_between_two_versions_moves_the_host_once(world: World) -> None:
    records = [world.publish("1.1.0", 2), world.records["1.0.0"]]
    installed = []

    for turn in range(6):
        world.newest = records[turn % 2].version
        world.update()
        installed.append(world.installed)

    assert installed == ["1.1.0"] * 6
    assert world.acts.count("activate") == 1


def test_the_same_bytes_under_the_same_version_are_nothing_to_do_however_often_they_are_offered(world: World) -> None:
    assert {world.update().reason for _ in range(5)} == {Reason.UP_TO_DATE}
    assert not {"fetch", "stage", "stop"} & set(world.acts)


def test_a_network_that_comes_up_after_pawld_marks_no_version_bad(world: World) -> None:
    world.publish("1.1.0", 2)
    world.fail("fetch", *[TransientError(Reason.UNREACHABLE, "No route to host.")] * 8)

    early = {world.update().reason for _ in range(8)}

    assert early == {Reason.UNREACHABLE}
    assert world.update().reason is Reason.UPDATED
    assert world.installed == "1.1.0"


def test_a_recovery_never_removes_what_is_current_previous_or_running(world: World) -> None:
    world.publish("1.1.0", 2)
    assert world.update().reason is Reason.UPDATED

    for _ in range(3):
        world.recover()

    assert {one.version for one in world.slots_on_disk} == {"1.0.0", "1.1.0"}
    assert (world.installed, world.running) == ("1.1.0", "1.1.0")
