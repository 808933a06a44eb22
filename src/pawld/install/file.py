"""A build that is one executable file, placed as it is."""

from collections.abc import Sequence
from pathlib import Path

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Limits, Written, unpack_program
from pawld.install.contents import check_programs, inside
from pawld.model import Platform, Record, Unpacked
from pawld.ports import Progress, Verified, VerifiedPatch
from pawld.reasons import Reason
from pawld.system.walls import Walls


class ProgramContents:
    """One program under one name, so that the service finds every version under the same path.

    Args:
        platform: what the program must be built for.
        name: its name in the slot; by default the record's entrypoint, or else its file name.
        walls: where patches are applied; None applies them in a child of the same user.
    """

    def __init__(self, platform: Platform, *, name: str | None = None, walls: Walls | None = None) -> None:
        self._platform = platform
        self._walls = walls
        self._name = None if name is None else inside(name)

    def space_needed(self, record: Record) -> int:
        """Return the program's own size."""
        return record.length

    def entrypoint(self, record: Record) -> str:
        """Return the path that the program gets in its slot."""
        return self._name or inside(record.entrypoint or record.filename)

    def place(self, build: Verified, into: Path, progress: Progress) -> Written:
        """Copy the proven bytes into the one file; ``RejectedError`` for a build of another format."""
        record = build.record
        if record.format != "file":
            raise RejectedError(
                Reason.ARCHIVE_REFUSED,
                f"The build is a {record.format}; this agent is installed from a single program.",
            )
        limits = Limits.of(Unpacked(record.length, 1) if record.length_signed else None)
        with build.stream() as program:
            return unpack_program(program, self.entrypoint(record), into, limits, progress, record.sha256)

    def patched(self, build: VerifiedPatch, base: Path, into: Path, progress: Progress) -> Written:
        """Make the one file out of the one of *base*."""
        from pawld.install.patching.program import patched_program  # noqa: PLC0415 - few updates need it

        record = build.record
        limits = Limits.of(Unpacked(record.length, 1))
        return patched_program(build, base, self.entrypoint(record), into, limits, progress, self._walls)

    def check(self, into: Path, files: Sequence[FileEntry], record: Record) -> None:
        """Hold the program's header against the platform."""
        check_programs(into, files, self.entrypoint(record), self._platform)
