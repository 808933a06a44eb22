"""Where things lie below an agent's root, which names there are ours, and the id that says so.

<root>/current                      the pointer (``pointer`` knows its form)
<root>/versions/<version>-<sha12>/  a slot
<root>/versions/.staging-…          being made; ``.damaged-…`` was set aside; ``.trash-…`` is being removed
<root>/.pawld/id                    the install id, and the downloads beside it
"""

import os
import re
from pathlib import Path
from typing import Literal

from pawld.errors import RejectedError
from pawld.formats import slot_manifest
from pawld.reasons import Reason
from pawld.system import files
from pawld.values import dataclass

_DOWNLOAD = re.compile(r"[0-9a-f]{64}\..+|.+\.unverified")
_SLOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}-[0-9a-f]{12}")
_LEFTOVER = re.compile(r"\.(?:staging|damaged|trash)-[0-9a-f]{12}-[0-9a-f]{8}")
_INSTALL_ID = re.compile(r"[0-9a-f]{32}")
_UNKNOWN_BUILD = "0" * 12


def is_slot_name(name: str) -> bool:
    """Whether *name* can be a slot's: a version and twelve digits of a digest, and no path."""
    return _SLOT_NAME.fullmatch(name) is not None


def is_leftover(name: str) -> bool:
    """Whether *name* is one that only an unfinished step of ours leaves in ``versions``."""
    return _LEFTOVER.fullmatch(name) is not None


def is_download(name: str) -> bool:
    """Whether *name* is a download's, or that of what a download keeps beside itself to be resumed."""
    return _DOWNLOAD.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths below *root*."""

    root: Path

    @property
    def versions(self) -> Path:
        """Where the slots are."""
        return self.root / "versions"

    @property
    def private(self) -> Path:
        """Where downloads and the install id are; for root alone."""
        return self.root / ".pawld"

    def slot(self, name: str) -> Path:
        """Return the slot's directory; ``RejectedError`` (record_invalid) for a name that no slot can have."""
        if not is_slot_name(name):
            raise RejectedError(Reason.RECORD_INVALID, f"{name!r} is not a name that a slot can have.")
        return self.versions / name

    def leftover(self, kind: Literal["staging", "damaged", "trash"], slot_name: str) -> Path:
        """Return a name that nobody has yet, which ``sweep`` will know as ours."""
        build = slot_name[-12:] if is_slot_name(slot_name) else _UNKNOWN_BUILD
        return self.versions / f".{kind}-{build}-{os.urandom(4).hex()}"

    def prepare(self) -> str:
        """Make the directories that are missing, durably, and return the install id."""
        for path, mode in ((self.root, 0o755), (self.versions, 0o755), (self.private, 0o700)):
            if not path.exists():
                files.make_directory(path, mode=mode)
                path.chmod(mode)  # whatever the umask took away
        return self._made_id()

    def install_id(self) -> str | None:
        """Return the id as it stands on disk; None where there is none, or none that this user may read."""
        try:
            text = (self.private / "id").read_bytes().strip().decode("ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return text if _INSTALL_ID.fullmatch(text) else None

    def _made_id(self) -> str:
        """An id that got lost is taken over from the slots: they would all be foreign, and never swept, otherwise."""
        there = self.install_id()
        if there is not None:
            return there
        made = self._id_of_the_slots() or os.urandom(16).hex()
        files.write_durably(self.private / "id", made.encode() + b"\n")
        return made

    def _id_of_the_slots(self) -> str | None:
        heads = (read_head(path) for path in self.slot_directories())
        ids = [one.install_id for one in heads if one is not None and _INSTALL_ID.fullmatch(one.install_id)]
        return max(set(ids), key=ids.count, default=None)

    def slot_directories(self) -> list[Path]:
        """Return every real directory that has a slot's name."""
        try:
            with os.scandir(self.versions) as entries:
                names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [self.versions / name for name in sorted(names) if is_slot_name(name)]


def read_head(slot: Path) -> slot_manifest.SlotHead | None:
    """Return which build the slot is; None as below, where the head itself is missing or torn."""
    try:
        with (slot / slot_manifest.FILENAME).open("rb") as file:
            return slot_manifest.read_head(file.readline(slot_manifest.HEAD_LIMIT))
    except (OSError, ValueError, RecursionError):
        return None


def is_complete(slot: Path) -> bool:
    """Whether the slot has its manifest, the mark that all else is there; ``integrity`` looks at all else."""
    try:
        with (slot / slot_manifest.FILENAME).open("rb") as file:
            return slot_manifest.is_whole(file)
    except OSError:
        return False


def read_manifest(slot: Path) -> slot_manifest.SlotManifest | None:
    """Return the slot's manifest; None where it is missing, torn or zeroed, so that the slot counts as incomplete."""
    try:
        return slot_manifest.read((slot / slot_manifest.FILENAME).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
