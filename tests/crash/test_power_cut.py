"""A power cut under a real file system: every block write of an update is logged, and its images are mounted."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from crash.children import TESTS, environment
from crash.disk import (
    FLUSH_EVERY_SECOND,
    Entry,
    PowerCutImage,
    images,
    logged,
    make_image,
    mounted,
    read_log,
    write_image,
)
from crash.figures import tell
from crash.parts import PARTS, Findings, Part, campaign
from crash.trace import COMMITTED
from crash.world import NEW, OLD, install_old, left_over, running_version, update

SEED = 20260101
LINGER = 1.5  # seconds after the update in which the file system writes back on its own


@pytest.fixture
def work() -> Iterator[Path]:
    """A directory in memory where there is one, so that images are quick to write."""
    fast = Path("/dev/shm")
    with TemporaryDirectory(dir=fast if fast.is_dir() else None) as made:
        yield Path(made)


def _record(kind: str, variant: str, options: str, work: Path) -> Path:
    """Log every block write of an update on a fresh file system; return the image from before."""
    base = work / "base.img"
    make_image(kind, base)
    with mounted(base, work / "mount", "loop") as place:
        install_old(place / "root")
        os.sync()
    with logged(base, work) as device, mounted(device, work / "mount", options) as place:
        mark = os.open(work / "fuse" / "mark", os.O_WRONLY)
        os.write(mark, b"start")
        command = [sys.executable, "-B", str(TESTS / "crash" / "world.py"), variant, "update", str(place / "root")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as target:
            assert target.stdout is not None
            assert COMMITTED in target.stdout.readline()
            os.write(mark, b"committed")
            assert target.wait(60) == 0
        time.sleep(LINGER)
        os.write(mark, b"end")
        os.close(mark)
    return base


def _judge(image: PowerCutImage, base: Path, work: Path, *, mend: bool) -> str:
    """Mount the image, and return what is wrong with it; finish the update on it where *mend* asks for it."""
    write_image(base, image, work / "crash.img")
    with mounted(work / "crash.img", work / "mount", "loop") as place:
        found = running_version(place / "root")
        if mend:
            update(place / "root")
            left = left_over(place / "root")
            if running_version(place / "root") != NEW or left:
                return f"not mended: {running_version(place / 'root')} {left}"
    if found not in {OLD, NEW}:
        return found
    return "lost commit" if image.committed and found != NEW else ""


def _judged(base: Path, log: list[Entry], subsets: int, every: int, part: Part) -> Findings:
    """Look at this part's images, and finish the update on some of them."""
    found = Findings()
    for number, image in enumerate(part.mine(images(log, seed=SEED, subsets=subsets, every=every))):
        found.figures["committed"] += image.committed
        found.count("images", _judge(image, base, part.place, mend=number % 5 == 0), image.how)
    return found


def _campaign(kind: str, variant: str, work: Path, *, options: str, subsets: int, every: int) -> Findings:
    started = time.monotonic()
    base = _record(kind, variant, options, work)
    # The others know a file system by its id, and take two images of it for one.
    parts = PARTS if kind == "ext4" else 1
    found = campaign(partial(_judged, base, read_log(work / "log"), subsets, every), work, parts)
    took = time.monotonic() - started
    tell(f"power cut, {kind}, {variant}, seed {SEED}: {dict(found.figures)} in {took:.1f} s; {found.bad[:2]}")
    return found


KINDS = ["ext4", *(pytest.param(one, marks=pytest.mark.rig(one)) for one in ("btrfs", "xfs"))]


@pytest.mark.rig("power_cut")
@pytest.mark.parametrize("kind", KINDS)
def test_a_power_cut_leaves_the_old_or_the_new_version(kind: str, work: Path) -> None:
    found = _campaign(kind, "good", work, options=FLUSH_EVERY_SECOND[kind], subsets=4, every=2)

    assert found.figures["images"] > found.figures["committed"] > 0
    assert found.bad == []


@pytest.mark.rig("power_cut")
@pytest.mark.parametrize("variant", ["no_sync", "no_directory_sync"])
def test_the_power_cuts_on_ext4_catch_an_update_that_is_broken_on_purpose(variant: str, work: Path) -> None:
    found = _campaign("ext4", variant, work, options="noauto_da_alloc,commit=1", subsets=2, every=2)

    assert found.bad


@pytest.mark.long
@pytest.mark.rig("power_cut")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("variant", ["good", "syncfs"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_power_cut_in_a_long_campaign_leaves_the_old_or_the_new_version(kind: str, variant: str, work: Path) -> None:
    found = _campaign(kind, variant, work, options=FLUSH_EVERY_SECOND[kind], subsets=60, every=1)

    assert found.figures["images"] > found.figures["committed"] > 0
    assert found.bad == []
