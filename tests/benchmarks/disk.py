"""Where everything is written: a journalled ext4 in memory, so that a sync costs what it costs and no disk gets in.

Without the right to mount one it is the temporary file system itself, where a sync is free.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = "6G"  # sparse


@contextmanager
def disk_at(home: Path) -> Iterator[tuple[Path, str]]:
    """Yield an empty directory and what it lies on."""
    mount, image = home / "disk", home / "disk.img"
    mount.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or not _mounted(mount, image):
        shutil.rmtree(mount, ignore_errors=True)
        mount.mkdir()
        yield mount, "tmpfs"
        return
    try:
        yield mount, "ext4 with a journal, on a loop device in memory"
    finally:
        subprocess.run(["umount", "--lazy", str(mount)], check=False)
        image.unlink()


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
