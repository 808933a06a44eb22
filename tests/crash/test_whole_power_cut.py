"""The power cut under a whole ``pawld update``: every block write of it is logged, and its images are mounted."""

import os
import random
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from crash.children import environment
from crash.disk import FLUSH_EVERY_SECOND, PowerCutImage, images, logged, make_image, mounted, read_log, write_image
from crash.figures import tell
from crash.parts import PARTS, Findings, Part, apart, campaign
from crash.whole import ACTS, house_in, prepared, wrong_after, wrong_now

SEED = 20260101
LINGER = 1.5  # seconds after the update in which the file system writes back on its own
ACT = ACTS["update"]
Choice = Callable[[list[PowerCutImage]], list[PowerCutImage]]
KINDS = ["ext4", *(pytest.param(one, marks=pytest.mark.rig(one)) for one in ("btrfs", "xfs"))]

pytestmark = pytest.mark.rig("power_cut")


def _drawn(every: list[PowerCutImage]) -> list[PowerCutImage]:
    """Draw some from before the commit and some from after it, by the seed."""
    chance = random.Random(SEED)
    kept = [[one for one in every if one.committed is committed] for committed in (False, True)]
    return [one for some in kept for one in chance.sample(some, min(30, len(some)))]


def _late(every: list[PowerCutImage]) -> list[PowerCutImage]:
    """Take every second one of the last: there ``current`` is moved."""
    return every[-40::2]


def _recorded(kind: str, variant: str, options: str, base: Path, log: Path, part: Part) -> None:
    """Leave the file system from before the update in *base*, and what was written to it in *log*."""
    mount = part.place / "mount"
    make_image(kind, base)
    with house_in(part.place, home=mount / "home") as house:
        with mounted(base, mount, "loop"):
            house.home.mkdir()
            prepared(house, ACT, part.place)
            os.sync()
        with logged(base, part.place) as device, mounted(device, mount, options):
            mark = os.open(part.place / "fuse" / "mark", os.O_WRONLY)
            os.write(mark, b"start")
            command = house.command(*ACT.words, variant=variant)
            with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as target:
                assert target.stdout is not None
                assert ACT.report.encode() in target.stdout.read(1 << 16)
                os.write(mark, b"committed")
            assert target.returncode == 0
            time.sleep(LINGER)
            os.write(mark, b"end")
            os.close(mark)
        (part.place / "log").rename(log)


def _judged(base: Path, chosen: list[PowerCutImage], part: Part) -> Findings:
    """Mount this part's images one after the other, look, and start pawld on each as the next boot would."""
    found, mount, disk = Findings(), part.place / "mount", part.place / "crash.img"
    with house_in(part.place, home=mount / "home") as house:
        house.publish(ACT.goal)
        for image in part.mine(chosen):
            write_image(base, image, disk)
            said = ACT.report.encode() if image.committed else b""
            with mounted(disk, mount, "loop"):
                wrong = wrong_now(house, ACT, said) or wrong_after(house, ACT)
            found.figures["committed"] += image.committed
            found.count("images", wrong, image.how)
    return found


def _campaign(kind: str, variant: str, memory: Path, options: str, chosen_from: Choice, subsets: int) -> Findings:
    """Judge the images that a power cut may leave, or those that are chosen from them."""
    base, log, started = memory / "base.img", memory / "log", time.monotonic()
    apart(partial(_recorded, kind, variant, options, base, log), memory)
    every = list(images(read_log(log), seed=SEED, subsets=subsets))
    chosen = chosen_from(every)
    # btrfs knows a file system by its id, and takes two images of it for one.
    found = campaign(partial(_judged, base, chosen), memory, PARTS if kind == "ext4" else 1)
    took = time.monotonic() - started
    tell(
        f"power cut, whole update, {kind}, {variant}, seed {SEED}: {dict(found.figures)} of {len(every)} images "
        f"in {took:.1f} s, {len(found.bad)} bad: {found.bad[:3]}"
    )
    return found


def test_a_power_cut_under_a_whole_update_leaves_a_whole_agent_and_is_finished_by_the_next(memory: Path) -> None:
    found = _campaign("ext4", "good", memory, FLUSH_EVERY_SECOND["ext4"], _drawn, subsets=2)

    assert found.figures["images"] > found.figures["committed"] > 0
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_a_power_cut_under_a_whole_update_leaves_a_whole_agent_in_a_long_campaign(kind: str, memory: Path) -> None:
    found = _campaign(kind, "good", memory, FLUSH_EVERY_SECOND[kind], list, subsets=4)

    assert found.figures["images"] > found.figures["committed"] > 0
    assert found.bad == []


def test_the_power_cuts_catch_a_whole_update_that_is_broken_on_purpose(memory: Path) -> None:
    found = _campaign("ext4", "no_sync", memory, "noauto_da_alloc,commit=1", _late, subsets=0)

    assert found.bad
