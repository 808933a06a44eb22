"""A single program out of a patch and the program of another slot."""

from contextlib import closing
from pathlib import Path

from pawld.formats.patch import PROGRAM, PatchHeader
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Limits, Written
from pawld.install.archive.writer import Writer
from pawld.install.layout import read_manifest
from pawld.install.patching.container import read_patch
from pawld.install.patching.engine import Engine, failed
from pawld.install.patching.streams import NewStream, OldStream
from pawld.ports import Progress, VerifiedPatch
from pawld.system.faults import host_faults
from pawld.system.walls import Walls


def patched_program(
    build: VerifiedPatch,
    base: Path,
    name: str,
    into: Path,
    limits: Limits,
    progress: Progress,
    walls: Walls | None = None,
) -> Written:
    """Write the program that *build* makes out of the slot *base* to the path *name* below *into*.

    ``TransientError``: patch_failed, or slot_damaged where the base is not what was installed.
    """
    patch = read_patch(build)
    program = _program(patch.header, base, build.patch.from_sha256)
    with (
        host_faults("Patching the build"),
        closing(Writer(into, limits, progress)) as writer,
        Engine(walls=walls) as engine,
    ):
        writer.start()
        stream = NewStream(patch, OldStream(base, [program]), engine)
        writer.file(name, patch.header.new[0].size, 0o755, stream.take(patch.header.new[0].size))
        stream.end()
        return writer.finish()


def _program(header: PatchHeader, base: Path, sha256: str) -> FileEntry:
    """Return the one file of the base, which has to be the build that the patch is from."""
    manifest = read_manifest(base)
    if header.base_tree or header.old != (PROGRAM,) or len(header.new) != 1:
        raise failed("it is not a patch for a single program")
    if manifest is None or len(manifest.files) != 1 or manifest.files[0].sha256 != sha256:
        raise failed(f"it is made for another base than {base.name}")
    return manifest.files[0]
