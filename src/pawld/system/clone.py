"""Shares the blocks of one file with another, where the file system can: btrfs, xfs and their like on Linux.

Each file keeps its own blocks as soon as it is written to, so a clone is as safe as a copy. A hard link is not.
"""

import sys
from contextlib import suppress

_FICLONE = 0x40049409  # <linux/fs.h>


def clone(source: int, target: int) -> bool:
    """Make the empty file *target* (a descriptor) hold what *source* holds; False where that has to be copied."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - not on Windows

    with suppress(OSError):
        fcntl.ioctl(target, _FICLONE, source)
        return True
    return False
