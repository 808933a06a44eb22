"""Whether somebody holds a lock, asked without touching it: who tries a lock keeps others from it meanwhile."""

import struct
import sys
from pathlib import Path

_LOCKS = Path("/proc/locks")  # Linux; proc(5)
_FLOCK = "hhqqi"  # struct flock with 64-bit offsets: type, whence, start, length, pid
_KIND, _PLACE = 1, 5  # columns: FLOCK, and major:minor:inode


def is_held(path: Path, locks: Path = _LOCKS) -> bool:
    """Say whether a process holds a ``flock`` on *path*; where this system does not tell, that one may.

    Only the inode is compared: what the kernel calls the device differs from what a file on btrfs or an overlay says.
    """
    try:
        inode = path.stat().st_ino
        table = locks.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return locks.exists() is False
    except OSError:
        return True
    rows = (line.replace("-> ", "").split() for line in table)
    return any(row[_KIND] == "FLOCK" and row[_PLACE].endswith(f":{inode}") for row in rows if len(row) > _PLACE)


def holder_of(lock: Path) -> int | None:
    """Return who holds a record lock (fcntl): 0 for a process of another container, None where nobody does."""
    if sys.platform == "win32" or not lock.exists():
        return None
    import fcntl  # noqa: PLC0415 - not on Windows

    wanted = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
    with lock.open("rb") as file:
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, wanted))
    return None if kind == fcntl.F_UNLCK else pid


def named(pid: int) -> str:
    """Return the process with its name, for a sentence."""
    try:
        return f"{pid} ({Path(f'/proc/{pid}/comm').read_text().strip()})"
    except OSError:
        return str(pid)
