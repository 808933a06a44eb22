"""The short way by a patch: taken where it can be, told where it cannot, and never worse than the full build."""

from pathlib import Path

import pytest
from support.world import Gatekeeper, World

from pawld.errors import RejectedError, TransientError
from pawld.lifecycle.cycle import Patience
from pawld.lifecycle.database import open_database
from pawld.lifecycle.journal import Journal
from pawld.model import Patch
from pawld.ports import Closed
from pawld.reasons import Reason

FULL = 5000  # bytes; the record's length here
FAILED = TransientError(Reason.PATCH_FAILED, "The patch cannot be used: it is broken.")


def patch(world: World, version: str, **changes: object) -> Patch:
    facts: dict[str, object] = {"engine": "hdiffpatch", "length": 50, "sha256": version[0] * 64}
    facts |= {"from_sha256": world.records[version].sha256, "target": f"sha256/{version}"} | changes
    return Patch(**facts)  # type: ignore[arg-type]  # what the test says of it


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.publish("1.0.0", 1)
    assert made.update().reason is Reason.UPDATED
    made.acts.clear()
    return made


def why(world: World) -> list[str]:
    database = open_database(world.tmp_path / "state" / "pawld.db", world.clock.now())
    try:
        said = Journal(database, "acme").fact("why") or []
        return [one["what"] for one in said if one["who"] == "patch"]
    finally:
        database.close()


def test_a_patch_from_what_is_installed_is_taken(world: World) -> None:
    world.publish("1.1.0", 2, length=FULL, patches=(patch(world, "1.0.0"),))

    assert world.update().reason is Reason.UPDATED

    assert world.installed == "1.1.0"
    assert [one for one in world.acts if not one.startswith("journal")][2:6] == [
        "preflight",
        "fetch",
        "prove_patch",
        "stage_patched from 1.0.0",
    ]
    assert "prove" not in world.acts
    assert why(world) == [f"made from 1.0.0 with 50 bytes in place of {FULL}"]
    assert list(world.tmp_path.glob("*.unverified")) == []


def test_each_failure_leads_to_the_next_way_and_at_last_to_the_full_build(world: World) -> None:
    one = patch(world, "1.0.0", sha256="b" * 64)
    world.publish("1.1.0", 2, length=FULL, patches=(one, patch(world, "1.0.0")))
    world.fail("prove_patch", RejectedError(Reason.DIGEST_MISMATCH, "Other bytes."))
    world.fail("stage_patched from 1.0.0", FAILED)

    assert world.update().reason is Reason.UPDATED

    assert (world.acts.count("prove_patch"), world.acts.count("stage_patched from 1.0.0")) == (2, 1)
    assert world.acts.count("stage") == 1
    assert why(world) == [f"the one from 1.0.0 failed, so the next way is taken: {FAILED.message}"]


def test_a_patch_that_cannot_be_fetched_blocks_nothing(world: World) -> None:
    world.publish("1.1.0", 2, length=FULL, patches=(patch(world, "1.0.0"),))
    world.fail("fetch", TransientError(Reason.NOT_FOUND, "It does not exist."))

    assert world.update().reason is Reason.UPDATED
    assert world.installed == "1.1.0"


@pytest.mark.parametrize("reason", [Reason.QUALIFICATION_FAILED, Reason.WRONG_EXECUTABLE])
def test_what_is_wrong_with_the_very_build_is_not_tried_again_in_full(world: World, reason: Reason) -> None:
    world.publish("1.1.0", 2, length=FULL, patches=(patch(world, "1.0.0"),))
    world.fail("stage_patched from 1.0.0", RejectedError(reason, "It does not start."))

    assert world.update().reason is reason

    assert "stage" not in world.acts
    assert world.installed == "1.0.0"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"from_sha256": "f" * 64}, "none is offered from what is installed here, so the full build is taken"),
        ({"engine": "bsdiff"}, "this host has not the engine bsdiff, so the full build is taken"),
        ({"length": FULL}, "less is missing of it than a patch has, so the full build is taken"),
    ],
)
def test_a_patch_of_no_use_here_is_passed_over_and_told(world: World, changes: dict[str, object], told: str) -> None:
    world.publish("1.1.0", 2, length=FULL, patches=(patch(world, "1.0.0", **changes),))

    assert world.update().reason is Reason.UPDATED

    assert not {"prove_patch", "stage_patched from 1.0.0"} & set(world.acts)
    assert why(world) == [told]


def test_what_is_left_of_a_full_download_may_be_less_than_a_patch(world: World) -> None:
    record = world.publish("1.1.0", 2, length=FULL, patches=(patch(world, "1.0.0", length=500),))
    (world.tmp_path / f"{record.sha256}.unverified").write_bytes(bytes(FULL - 100))

    assert world.update().reason is Reason.UPDATED
    assert "prove_patch" not in world.acts


def test_after_two_attempts_that_never_ended_only_the_full_build_is_taken(world: World) -> None:
    record = world.publish("1.1.0", 2, length=FULL, patches=(patch(world, "1.0.0"),))
    database = open_database(world.tmp_path / "state" / "pawld.db", world.clock.now())
    for _ in range(2):
        Journal(database, "acme").count_attempt(record.sha256)
    database.close()

    assert world.update().reason is Reason.UPDATED

    assert "prove_patch" not in world.acts
    assert why(world) == ["earlier attempts at this build did not come to their end, so the full build is taken"]


def test_a_patch_that_a_cut_left_beside_the_slot_that_it_made_is_removed(world: World) -> None:
    offered = patch(world, "1.0.0")
    world.publish("1.1.0", 2, length=FULL, patches=(offered,))
    world.gates = [Gatekeeper([Closed(Reason.OUTSIDE_WINDOW, "Not now.", world.clock.now())])]
    world.update(Patience.RETURN)  # the slot is made, and nothing is swapped yet
    (world.tmp_path / f"{offered.sha256}.unverified").write_bytes(b"of a process that died")
    world.gates = []

    assert world.update().reason is Reason.UPDATED

    assert list(world.tmp_path.glob("*.unverified")) == []
