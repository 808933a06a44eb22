"""Where everything is written: memory, so that no disk gets in; or an ext4 in it, where a sync has a price."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = "6G"  # sparse


@contextmanager
def disk_at(home: Path, *, ext4: bool) -> Iterator[tuple[Path, str]]:
    """Yield an empty directory and what it lies on; *ext4* takes root and a loop device."""
    mount, image = home / "disk", home / "disk.img"
    shutil.rmtree(mount, ignore_errors=True)
    mount.mkdir(parents=True)
    if not ext4:
        yield mount, "tmpfs"
        shutil.rmtree(mount)
        return
    if not _mounted(mount, image):
        raise PermissionError("mounting an ext4 takes root and a loop device")
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
