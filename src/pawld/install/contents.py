"""What the kinds of build have in common: how the proven bytes become the files of a slot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from pawld.errors import OperatorError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Written
from pawld.install.executables import check_executables
from pawld.model import Platform, Record
from pawld.ports import Progress, Verified, VerifiedPatch
from pawld.reasons import Reason


def inside(path: str) -> str:
    """Return *path* with forward slashes; ``OperatorError`` (config_invalid) where it could lead out of a slot."""
    parts = path.replace("\\", "/").split("/")
    if any(part in ("", ".", "..") or ":" in part for part in parts):
        raise OperatorError(Reason.CONFIG_INVALID, f"{path!r} is no relative path inside a slot.")
    return "/".join(parts)


class Contents(Protocol):
    """One kind of build, such as an archive or a single program."""

    def space_needed(self, record: Record) -> int:
        """Return how many bytes the files of this build take."""

    def place(self, build: Verified, into: Path, progress: Progress) -> Written:
        """Write the build's files below *into*, an empty directory, and return what was written."""

    def entrypoint(self, record: Record) -> str | None:
        """Return the program to start, relative to the slot, with forward slashes."""

    def check(self, into: Path, files: Sequence[FileEntry], record: Record) -> None:
        """Refuse executables that are not for this platform; called when the whole build is proven."""


@runtime_checkable
class PatchedContents(Protocol):
    """A kind of build that can also be made out of a patch and another slot."""

    def patched(self, build: VerifiedPatch, base: Path, into: Path, progress: Progress) -> Written:
        """Write the files that the patch makes out of the slot *base*; ``TransientError`` where it makes none."""


def check_programs(into: Path, files: Sequence[FileEntry], entrypoint: str | None, platform: Platform) -> None:
    """Hold the headers of the programs among *files* against *platform*; ``RejectedError`` (wrong_executable)."""
    check_executables(into, (one for one in files if one.target is None), entrypoint, platform)
