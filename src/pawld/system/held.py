"""Whether somebody holds a lock, asked without touching it: who tries a lock keeps others from it meanwhile."""

from pathlib import Path

_LOCKS = Path("/proc/locks")  # Linux; proc(5)
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
