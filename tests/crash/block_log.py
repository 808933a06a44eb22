"""A disk that remembers every write and every flush, in order: one file named ``disk`` in a FUSE file system.

    python -m crash.block_log MOUNTPOINT IMAGE LOG

The kernel's loop device on it turns a real file system's block writes into this log. What is written to the second
file, ``mark``, is put into the log as it is, to say what the program under test had promised by then.
"""
# ruff: noqa: ARG002 - the library gives every argument, by position

import errno
import stat
import sys
from pathlib import Path
from typing import Any

import mfusepy
from crash.disk import FLUSH, HEADER, MARK, WRITE

_DISK, _MARK = "/disk", "/mark"


class LoggedDisk(mfusepy.Operations):  # type: ignore[misc]  # the library has no types
    """The two files."""

    use_ns = True

    def __init__(self, image: Path, log: Path) -> None:
        self._bytes = bytearray(image.read_bytes())
        self._log = log.open("wb", buffering=0)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        """Say what there is."""
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
        if path not in {_DISK, _MARK}:
            raise mfusepy.FuseOSError(errno.ENOENT)
        size = len(self._bytes) if path == _DISK else 0
        return {"st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_size": size}

    def readdir(self, path: str, fh: int) -> list[str]:
        """List them."""
        return [".", "..", _DISK[1:], _MARK[1:]]

    def open(self, path: str, flags: int) -> int:
        """Every open is the same."""
        return 3

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        """The disk keeps its size."""
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Read what was written last."""
        return bytes(self._bytes[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write, and remember it."""
        if path == _MARK:
            self._note(MARK, 0, data)
        else:
            self._bytes[offset : offset + len(data)] = data
            self._note(WRITE, offset, data)
        return len(data)

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        """Remember that everything before has to be on the platter."""
        if path == _DISK:
            self._note(FLUSH, 0, b"")
        return 0

    def fallocate(self, *_: Any) -> int:
        """Refuse, so that a discard is no silent write."""
        raise mfusepy.FuseOSError(errno.EOPNOTSUPP)

    def _note(self, kind: bytes, offset: int, data: bytes) -> None:
        self._log.write(HEADER.pack(kind, offset, len(data)) + data)


if __name__ == "__main__":
    mountpoint, image_file, log_file = sys.argv[1:]
    disk = LoggedDisk(Path(image_file), Path(log_file))
    mfusepy.FUSE(disk, mountpoint, foreground=True, nothreads=True, allow_other=True)
