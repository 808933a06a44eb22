"""Where everything is written: the home's own file system, or an ext4 with a journal, where a sync has a price.

A directory of a test machine's disk is a poor place to measure: ext4 without a journal, or discarding as it deletes,
takes ten times as long now and then.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = "6G"  # sparse
LOOP = "ext4 on a loop device"


@contextmanager
def directory_at(disk: Path) -> Iterator[Path]:
    """Yield an empty directory at *disk*, removed afterwards."""
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir(parents=True)
    try:
        yield disk
    finally:
        shutil.rmtree(disk)


@contextmanager
def loop_at(mount: Path) -> Iterator[Path]:
    """Yield an empty ext4 with a journal, whose image lies beside *mount*; takes root and a loop device."""
    image = mount.with_suffix(".img")
    with directory_at(mount):
        if not _mounted(mount, image):
            raise PermissionError("mounting an ext4 takes root and a loop device")
        try:
            yield mount
        finally:
            subprocess.run(["umount", "--lazy", str(mount)], check=False)
            image.unlink()


def kind_of(disk: Path) -> str:
    """Return the type of the file system that *disk* lies on."""
    command = ["stat", "--file-system", "--format=%T", str(disk)]
    return (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().replace("ext2/ext3", "ext4")
    )


def _mounted(mount: Path, image: Path) -> bool:
    image.unlink(missing_ok=True)
    for command in (
        ["truncate", "-s", SIZE, str(image)],
        ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image)],
        ["mount", "-o", "loop", str(image), str(mount)],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return False
    return True
