"""A tree of files out of a patch and another slot: what did not change is taken over, the rest is made."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pawld.formats.patch import Moved, NewFile, PatchHeader
from pawld.formats.slot_manifest import FileEntry, SlotManifest
from pawld.formats.tree import tree_sha256
from pawld.install.archive import Limits, Written
from pawld.install.archive.writer import Writer
from pawld.install.layout import read_manifest
from pawld.install.patching.container import read_patch
from pawld.install.patching.engine import Engine, failed
from pawld.install.patching.streams import NewStream, OldStream, damaged, opened
from pawld.ports import Progress, VerifiedPatch
from pawld.system.faults import host_faults
from pawld.system.walls import Walls


def patched_tree(
    build: VerifiedPatch, base: Path, into: Path, limits: Limits, progress: Progress, walls: Walls | None = None
) -> Written:
    """Write the files that *build* makes out of the slot *base* below *into*, by the rules of every archive.

    Differences are applied behind *walls*, where there are any.

    ``TransientError``: patch_failed, or slot_damaged where the base is not what was installed; ``RejectedError``
    (archive_refused) for a name, a link or a size that no archive may have either.
    """
    patch = read_patch(build)
    tree = _Base(base, _manifest(base, patch.header))
    with (
        host_faults("Patching the build"),
        closing(Writer(into, limits, progress)) as writer,
        Engine(walls=walls) as engine,
    ):
        writer.start()
        for path in tree.directories(patch.header):
            writer.folder(path)
        stream = NewStream(patch, OldStream(base, [tree.file(path) for path in patch.header.old]), engine)
        for one in tree.files(patch.header):
            if isinstance(one, NewFile):
                writer.file(one.path, one.size, one.mode, stream.take(one.size))
            else:
                _take_over(writer, base, one, tree.file(one.source))
        for path, target in tree.links(patch.header):
            writer.link(path, target)
        stream.end()
        return writer.finish()


def _manifest(base: Path, header: PatchHeader) -> SlotManifest:
    manifest = read_manifest(base)
    if manifest is None or tree_sha256(manifest.files, manifest.directories) != header.base_tree:
        raise failed(f"it is made for another base than {base.name}")
    return manifest


def _take_over(writer: Writer, base: Path, one: Moved, entry: FileEntry) -> None:
    with opened(base, entry) as file:
        if writer.copy(one.path, entry.size, one.mode, file) != entry.sha256:
            raise damaged(base, entry)


class _Base:
    """What the other slot holds, and what of it stays."""

    def __init__(self, slot: Path, manifest: SlotManifest) -> None:
        self._slot = slot
        self._manifest = manifest
        self._regular = {one.path: one for one in manifest.files if one.target is None}

    def file(self, path: str) -> FileEntry:
        """Return the regular file *path*; ``TransientError`` (patch_failed) where the base has none."""
        found = self._regular.get(path)
        if found is None:
            raise failed(f"{self._slot.name} has no file {path!a} to take")
        return found

    def files(self, header: PatchHeader) -> list[NewFile | Moved]:
        """Return every file of the result, sorted, so that a directory's files are written together."""
        gone = _gone(header)
        kept = (Moved(path, one.mode, path) for path, one in self._regular.items() if path not in gone)
        found: list[NewFile | Moved] = [*kept, *header.new, *header.moved]
        return sorted(found, key=lambda one: one.path)

    def links(self, header: PatchHeader) -> Iterator[tuple[str, str]]:
        """Yield every link of the result."""
        gone = _gone(header)
        for one in self._manifest.files:
            if one.target is not None and one.path not in gone:
                yield one.path, one.target
        yield from header.links

    def directories(self, header: PatchHeader) -> list[str]:
        """Return every directory of the result, sorted."""
        return sorted({*self._manifest.directories, *header.made} - set(header.unmade))


def _gone(header: PatchHeader) -> set[str]:
    """Return the paths of the base that have no say any more."""
    made = {one.path for one in header.new} | {one.path for one in header.moved}
    return made | {path for path, _ in header.links} | set(header.removed)
