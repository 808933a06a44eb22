"""Whether a slot still is what its manifest says: looked at by hash, never by name alone.

After a power cut a file may have its right size and hold zeros, so nothing short of reading it all tells.
"""

import hashlib
import os
import stat
from collections.abc import Collection
from enum import Enum
from pathlib import Path

from pawld.formats.slot_manifest import FILENAME, FileEntry, SlotManifest
from pawld.install.layout import read_manifest
from pawld.values import dataclass

# What an agent may make in its own slot without making it another build: Python writes these beside its modules.
TOLERATED = frozenset({"__pycache__"})
_OURS = (FILENAME, f".{FILENAME}.new")
_POSIX = os.name == "posix"


class Health(Enum):
    """The state of a slot, best first."""

    INTACT = "intact"
    ADDED_TO = "added_to"  # every byte of the build is there, and something beside it
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"  # no manifest: it was never complete, or is not ours

    @property
    def holds(self) -> bool:
        """Every byte of the build is as it was installed; a log that the agent wrote beside it changes nothing."""
        return self in {Health.INTACT, Health.ADDED_TO}


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found; *detail* names the first thing that is wrong."""

    health: Health
    detail: str = ""


def examine(slot: Path, *, tolerated: Collection[str] = TOLERATED) -> Examined:
    """Hash every file of *slot* against its manifest; names, sizes and modes first, as they cost least.

    Raises:
        OSError: never; what cannot be read is damage.
    """
    manifest = read_manifest(slot)
    if manifest is None:
        return Examined(Health.UNREADABLE, f"{slot.name} has no readable manifest")
    try:
        wrong = _first_wrong(slot, manifest)
        if wrong:
            return Examined(Health.DAMAGED, wrong)
        added = additions(slot, manifest, tolerated=tolerated)
    except OSError as error:
        return Examined(Health.DAMAGED, f"{error.filename or slot.name}: {error.strerror or type(error).__name__}")
    if added:
        return Examined(Health.ADDED_TO, f"{added[0]} does not belong to the build")
    return Examined(Health.INTACT)


def additions(slot: Path, manifest: SlotManifest, *, tolerated: Collection[str] = TOLERATED) -> list[str]:
    """Return what is in the slot and not in its manifest, relative and sorted; a directory stands for all in it."""
    known_files = {one.path for one in manifest.files} | set(_OURS)
    known_directories = set(manifest.directories)
    found: list[str] = []
    for place, directories, names in os.walk(slot):
        prefix = "" if Path(place) == slot else Path(place).relative_to(slot).as_posix() + "/"
        for name in list(directories):
            path = prefix + name
            link = (Path(place) / name).is_symlink()
            if path not in (known_files if link else known_directories):
                directories.remove(name)
                found.extend(() if name in tolerated else (path,))
        found.extend(prefix + name for name in names if prefix + name not in known_files and name not in tolerated)
    return sorted(found)


def _first_wrong(slot: Path, manifest: SlotManifest) -> str:
    for directory in manifest.directories:
        if not stat.S_ISDIR((slot / directory).lstat().st_mode):
            return f"{directory} is no directory any more"
    for entry in manifest.files:
        wrong = _looks_wrong(slot / entry.path, entry)
        if wrong:
            return f"{entry.path} {wrong}"
    for entry in manifest.files:
        if entry.target is None and _digest(slot / entry.path) != entry.sha256:
            return f"{entry.path} holds other bytes than were installed"
    return ""


def _looks_wrong(path: Path, entry: FileEntry) -> str:
    found = path.lstat()
    if entry.target is not None:
        right = stat.S_ISLNK(found.st_mode) and os.readlink(path) == entry.target  # noqa: PTH115 - the exact text
        return "" if right else "is no link to where it led"
    if not stat.S_ISREG(found.st_mode):
        return "is no regular file any more"
    if found.st_size != entry.size:
        return f"has {found.st_size} bytes where {entry.size} were installed"
    if _POSIX and stat.S_IMODE(found.st_mode) != entry.mode:
        return f"has mode {stat.S_IMODE(found.st_mode):o} where {entry.mode:o} was installed"
    return ""


def _digest(path: Path) -> str:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
        return hashlib.file_digest(file, "sha256").hexdigest()
