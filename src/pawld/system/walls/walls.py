"""Whether this host can have walls, and who stands behind them."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pawld.system.walls.child import Child, command_of, kill, still_held
from pawld.values import dataclass

if TYPE_CHECKING:
    import subprocess

USER = "pawld"
_NEEDED = {6: "CAP_SETGID", 7: "CAP_SETUID"}  # linux/capability.h
_STATUS, _UIDS = Path("/proc/self/status"), Path("/proc/self/uid_map")


@dataclass(frozen=True, slots=True)
class Walls:
    """Where to put what is read from strangers.

    Attributes:
        user: whom a child becomes, with *uid* and *gid*.
        command: the words that start the child of a module.
    """

    user: str
    uid: int
    gid: int
    command: Callable[[str], Sequence[str]] = command_of

    def begin(self, module: str, what: str, stdin: int | None = None) -> Child:
        """Begin to start the child of *module*, which *what* names for sentences; nobody has looked at it yet."""
        return Child(self.command(module), self.uid, self.gid, what, stdin)

    def start(self, module: str, what: str, stdin: int | None = None) -> Child:
        """Start the child of *module*, and look at it; ``TransientError`` (reader_failed)."""
        child = self.begin(module, what, stdin)
        child.look()
        return child

    def words(self, module: str) -> list[str]:
        """Return the words that start the child of *module*, who it becomes included."""
        return [*self.command(module), str(self.uid), str(self.gid)]

    def still_held(self, pid: int) -> str:
        """Return what a child still has that it was to give up."""
        return still_held(Path(f"/proc/{pid}/status"), self.uid, self.gid)

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill a child, even where root may not."""
        kill(process, self.uid)

    @contextmanager
    def child(self, module: str, what: str, stdin: int | None = None) -> Iterator[Child]:
        """Start a child for the time of the block; faults of the talk are translated."""
        child = self.start(module, what, stdin)
        try:
            with child.faults():
                yield child
        finally:
            child.end()


def walls_for(user: str, system: str = sys.platform, status: Path = _STATUS, uids: Path = _UIDS) -> Walls | str:
    """Return the walls with *user* behind them, or the clause that says why there are none."""
    if system != "linux":
        return "only Linux has what it takes"
    if os.geteuid() != 0:
        return "pawld is not root here, and can become nobody else"
    import pwd  # noqa: PLC0415 - not on Windows

    try:
        found = pwd.getpwnam(user)
    except KeyError:
        return f"this host has no user {user}"
    return _unfit(found.pw_uid, user, status, uids) or Walls(user, found.pw_uid, found.pw_gid)


def _unfit(uid: int, user: str, status: Path, uids: Path) -> str:
    """Say why this user is none to become, or this process none to become another; nothing where all is well."""
    if uid == 0:
        return f"the user {user} is root itself"
    if not _is_mapped(uid, uids):
        return f"the user {user} is not among the users of this container"
    held = _capabilities(status)
    missing = [name for bit, name in _NEEDED.items() if not held >> bit & 1]
    return f"pawld runs without {' and '.join(missing)}" if missing else ""


def _is_mapped(uid: int, uids: Path) -> bool:
    """Say whether this user namespace has the user; where the system does not tell, it has."""
    try:
        ranges = [[int(word) for word in line.split()] for line in uids.read_text(encoding="ascii").splitlines()]
    except OSError:
        return True
    return any(first <= uid < first + count for first, _, count in ranges)


def _capabilities(status: Path) -> int:
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
