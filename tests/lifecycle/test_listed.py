"""The list of a build's files, as a cycle has it taken into account."""

from datetime import timedelta
from pathlib import Path

from support.world import World

from pawld.model import Chunks
from pawld.reasons import Reason


def test_a_build_that_stands_damaged_is_made_anew_without_the_list_that_may_be_why(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("1.0.0", 1, chunks=Chunks(100, ("a" * 64,)), tree_sha256="b" * 64)
    assert world.update().reason is Reason.UPDATED
    world.damaged.add(world.pointer or "")
    world.clock.wall += timedelta(days=2)

    assert world.update().reason is Reason.UPDATED

    assert [one for one in world.acts if "prove" in one] == ["prove_chunks, with a list", "prove_chunks"]


def test_a_record_without_a_digest_of_its_tree_has_no_list(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.publish("1.0.0", 1, chunks=Chunks(100, ("a" * 64,)))
    assert world.update().reason is Reason.UPDATED
    assert [one for one in world.acts if "prove" in one] == ["prove_chunks"]
