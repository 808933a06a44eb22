"""Where the agent lies: who may write there, who owns it, what is mounted there, how much room there is."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from pawld.doctor.finding import Finding, ok, problem, warning
from pawld.install.shelf import Shelf
from pawld.install.sweep import size_of
from pawld.reasons import Reason
from pawld.settings.updater import Updater
from pawld.system.process import run
from pawld.system.walls import USER, Walls
from pawld.system.windows_access import CHANGE, REPLACE, who_may
from pawld.values import dataclass
from pawld.wiring.walls import told, walls_or_why

_MiB = 1024 * 1024
_ASKING = timedelta(seconds=20)  # for a package manager
_NEW_USER = "Run `useradd --system --no-create-home --shell /usr/sbin/nologin {}`, or start pawld by its own unit."
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_MOUNTS = Path("/proc/self/mounts")
_CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_SELINUX, _FAPOLICYD = Path("/sys/fs/selinux/enforce"), Path("/run/fapolicyd.pid")


@dataclass(frozen=True, slots=True)
class Owner:
    """A package manager's question "whose file is this?"; its exit 0 says that it is its own."""

    name: str
    question: Sequence[str]


OWNERS = (Owner("dpkg", ("dpkg", "-S")), Owner("rpm", ("rpm", "-qf")))


def permissions(directories: Sequence[Path], who: Callable[[Path, int], str | None] = who_may) -> Iterator[Finding]:
    """Say who else may write to each directory, or to one above it; who may can put a program of his own there.

    *who* says it of a file of Windows.
    """
    for directory in directories:
        loose = [one for one in (directory, *directory.parents) if _others_may_write(one)]
        other = next(
            (found for one in (directory, *directory.parents) if (found := _who_else(one, directory, who))), None
        )
        if not directory.exists():
            yield ok("permissions", f"{directory} is not there yet.")
        elif loose:
            yield problem(
                "permissions",
                Reason.PERMISSION_DENIED,
                f"Others than its owner may write to {loose[0]}, and so to {directory}.",
                f"Run `chmod go-w {loose[0]}`.",
            )
        elif other:
            told = f"{other}, and so what runs from {directory}."
            mend = "Take that right away with `icacls`, or choose a place below Program Files or ProgramData."
            yield problem("permissions", Reason.PERMISSION_DENIED, told, mend)
        elif not os.access(directory, os.W_OK):
            yield problem("permissions", Reason.PERMISSION_DENIED, f"This user may not write to {directory}.")
        else:
            yield ok("permissions", f"{directory} is for its owner alone.")


def walls(updater: Updater) -> Finding:
    """Say who reads what comes from the network. Where it is root, and need not be, somebody should look at it."""
    found = walls_or_why(updater)
    if isinstance(found, Walls) or os.name != "posix" or os.geteuid() != 0 or sys.platform != "linux":
        return ok("walls", told(updater))
    mend = "Take unsafe_parse_as_root out." if updater.unsafe_parse_as_root else _NEW_USER.format(updater.user or USER)
    return warning("walls", told(updater), mend)


def owner(root: Path, owners: Sequence[Owner] = OWNERS) -> Finding:
    """Ask each package manager whether the agent's files are its own: two managers of one file undo each other."""
    current = Shelf(root).current()
    asked = [root, *([current.path] if current else [])]
    for one in owners:
        for path in asked if shutil.which(one.question[0]) else ():
            answer = run([*one.question, str(path)], limit=_ASKING)
            if answer.ok:
                evidence = f"{one.name} owns {path}: {answer.output.strip().splitlines()[0]}."
                return problem("owner", Reason.OWNED_BY_OTHERS, evidence, "Give the agent a root of its own.")
    if root.is_relative_to("/snap") or "SNAP" in os.environ:
        return problem("owner", Reason.OWNED_BY_OTHERS, f"{root} belongs to a snap, whose files snapd alone changes.")
    return ok("owner", f"No package manager on this host claims {root}.")


def container(marks: Sequence[Path] = _CONTAINERS) -> Finding:
    """Say whether this is a container, whose next start may come from an older image."""
    found = next((one for one in marks if one.exists()), None)
    if found is None:
        return ok("container", "This is no container, as far as its marks tell.")
    mend = "Keep root and state_dir on a volume, or update the image instead."
    return warning("container", f"{found} says that this is a container.", mend)


def mount(root: Path, mounts: Path = _MOUNTS) -> Finding:
    """Say how the file system below *root* is mounted."""
    try:
        lines = [line.split(" ") for line in mounts.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return ok("mount", "This system does not tell how it is mounted.")
    above = [parts for parts in lines if root.is_relative_to(_unescaped(parts[1]))]
    if not above:
        return ok("mount", "Nothing is known of the mount.")
    deepest = max(enumerate(above), key=lambda one: (len(_unescaped(one[1][1])), one[0]))[1]
    options, told = deepest[3].split(","), f"{root} lies on {deepest[2]}, mounted at {deepest[1]}"
    if "ro" in options:
        return problem("mount", Reason.READ_ONLY, f"{told} read-only.", f"Run `mount -o remount,rw {deepest[1]}`.")
    if "noexec" in options:
        mend = "Mount it without noexec, or give the agent another root."
        return problem("mount", Reason.PERMISSION_DENIED, f"{told} with noexec: no program starts there.", mend)
    return ok("mount", f"{told} writable, and programs start there.")


def guards(selinux: Path = _SELINUX, fapolicyd: Path = _FAPOLICYD) -> Iterator[Finding]:
    """Name what may forbid a new program to start, though its mode allows it."""
    if _text(selinux) == "1":
        mend = "Give the root a file context with `semanage fcontext`, then run `restorecon -R` on it."
        yield warning("selinux", "SELinux is enforcing; new slots get the label of their parent directory.", mend)
    if fapolicyd.exists():
        mend = "Trust the root in /etc/fapolicyd/rules.d, or new programs are refused."
        yield warning("fapolicyd", "fapolicyd decides here which programs may start.", mend)


def disk(root: Path, reserve: int) -> Finding:
    """Compare what is free with what an update of the size of today's slot takes: download, new slot and reserve."""
    shelf = Shelf(root)
    current = shelf.current()
    slot = size_of(current.path) if current else 0
    needed = 2 * slot + reserve
    free = shutil.disk_usage(next(one for one in (root, *root.parents) if one.exists())).free
    told = f"{free // _MiB} MiB are free at {root}; an update like today's takes {needed // _MiB} MiB with the reserve"
    if free < needed:
        return problem("disk", Reason.DISK_FULL, f"{told}.", "Free space there, or lower install.reserve.")
    return ok("disk", f"{told}.")


def _others_may_write(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return bool(mode & _OTHERS_WRITE) and not mode & stat.S_ISVTX and os.name == "posix"


def _who_else(path: Path, directory: Path, who: Callable[[Path, int], str | None]) -> str | None:
    """Say who but an administrator may change the *directory*, or replace it from *path* above it."""
    found = who(path, CHANGE if path == directory else REPLACE) if path.exists() else None
    return f"{path} may be changed by {found}" if found else None


def _unescaped(path: str) -> str:
    return path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
