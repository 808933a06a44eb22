"""A build that is an archive, unpacked into the slot."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import FORMATS, Limits, Links, Unpack, Written, unpack
from pawld.install.contents import check_programs, inside
from pawld.model import Platform, Record
from pawld.ports import Progress, Verified, VerifiedPatch
from pawld.reasons import Reason
from pawld.system.walls import Walls

_GUESS = 4  # times its own length an archive takes, where its record does not say


class ArchiveContents:
    """The files of one archive, with nothing stripped and nothing renamed.

    Args:
        platform: what its executables must be built for.
        links: what happens to symbolic links in it.
        entrypoint: the program to start, where the record names none.
        reader: what unpacks an archive, as ``unpack`` does.
        walls: where patches are applied; None applies them in a child of the same user.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        links: Links = Links.REFUSED,
        entrypoint: str | None = None,
        reader: Unpack = unpack,
        walls: Walls | None = None,
    ) -> None:
        self._platform = platform
        self._links = links
        self._reader = reader
        self._walls = walls
        self._entrypoint = None if entrypoint is None else inside(entrypoint)

    def space_needed(self, record: Record) -> int:
        """Return what the record states, or a guess where it states nothing."""
        return record.unpacked.bytes if record.unpacked else record.length * _GUESS

    def entrypoint(self, record: Record) -> str | None:
        """Return the record's own, or the configured one."""
        return self._entrypoint if record.entrypoint is None else inside(record.entrypoint)

    def place(self, build: Verified, into: Path, progress: Progress) -> Written:
        """Unpack it; ``RejectedError`` (archive_refused) for a build of another format, or what ``archive`` refuses."""
        record = build.record
        if record.format not in FORMATS:
            raise RejectedError(
                Reason.ARCHIVE_REFUSED,
                f"The build has the format {record.format!r}; this agent is installed from an archive.",
            )
        with _opened(build) as archive:
            limits = Limits.of(record.unpacked, self._links)
            return self._reader(archive, record.format, into, limits, progress, build.listed)

    def patched(self, build: VerifiedPatch, base: Path, into: Path, progress: Progress) -> Written:
        """Take over what did not change, and make the rest."""
        from pawld.install.patching.tree import patched_tree  # noqa: PLC0415 - few updates need it

        limits = Limits.of(build.record.unpacked, self._links)
        return patched_tree(build, base, into, limits, progress, self._walls)

    def check(self, into: Path, files: Sequence[FileEntry], record: Record) -> None:
        """Hold the headers of its executables against the platform."""
        check_programs(into, files, self.entrypoint(record), self._platform)


def _opened(build: Verified) -> AbstractContextManager[BinaryIO]:
    """A zip's directory stands at its end, so the whole has to be there and proven first."""
    return nullcontext(build.seekable()) if build.record.format == "zip" else build.stream()
