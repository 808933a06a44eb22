"""How one slot comes to be: made aside, proven, made durable, and only then given its name."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pawld.errors import RejectedError
from pawld.formats import slot_manifest
from pawld.formats.slot_manifest import FileEntry, SlotManifest
from pawld.formats.tree import tree_sha256
from pawld.install.archive import Written
from pawld.install.contents import Contents, PatchedContents
from pawld.install.integrity import additions
from pawld.install.layout import Layout
from pawld.install.qualify import qualify
from pawld.install.shelf import slot_of
from pawld.model import Record
from pawld.ports import Progress, Verified, VerifiedPatch
from pawld.reasons import Reason
from pawld.system import files
from pawld.system.memory import let_go_of_mapped_files
from pawld.values import dataclass

_MANIFEST_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes into a slot beside the build itself."""

    layout: Layout
    install_id: str
    qualify: tuple[str, ...]
    qualify_limit: timedelta
    now: datetime


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where the files of a slot come from.

    Attributes:
        place: writes them below an empty directory, and returns what it wrote.
        confirm: proves that these files and directories are the build; ``RejectedError`` where they are not.
        let_go: frees the disk of what the slot was made of.
    """

    record: Record
    place: Callable[[Path], Written]
    confirm: Callable[[Sequence[FileEntry], Sequence[str]], None]
    let_go: Callable[[], None] | None = None


def whole(build: Verified, contents: Contents, progress: Progress) -> Recipe:
    """Return the recipe of a build that came whole."""

    def confirm(entries: Sequence[FileEntry], directories: Sequence[str]) -> None:
        build.confirm()
        stated = build.record.tree_sha256
        if stated is not None and tree_sha256(entries, directories) != stated:
            raise RejectedError(
                Reason.ARCHIVE_REFUSED, "The archive does not unpack to the files that the signed record states."
            )

    return Recipe(build.record, lambda into: contents.place(build, into, progress), confirm, build.let_go)


def patched(build: VerifiedPatch, base: Path, contents: PatchedContents, progress: Progress) -> Recipe:
    """Return the recipe of a build that is made out of the slot *base*."""
    return Recipe(build.record, lambda into: contents.patched(build, base, into, progress), build.confirm)


def make_slot(staging: Path, recipe: Recipe, contents: Contents, plan: Plan) -> SlotManifest:
    """Make a complete and durable slot at *staging*, which nothing but its own name keeps from being one.

    Raises:
        OSError: the host's fault.
        RejectedError: the build's.
    """
    staging.mkdir(mode=0o700)
    record = recipe.record
    let_go_of_mapped_files()  # before the decoder's window and the tree's names come on top
    written = recipe.place(staging)
    entries, directories = written.entries, written.directories
    recipe.confirm(entries, directories)
    contents.check(staging, entries, record)
    staging.chmod(0o755)
    manifest = SlotManifest(
        version=record.version,
        sha256=record.sha256,
        sequence=record.sequence,
        entrypoint=contents.entrypoint(record),
        install_id=plan.install_id,
        installed_at=plan.now,
        files=entries,
        directories=directories,
    )
    _try_out(staging, manifest, plan)
    # What came may never have been on the disk yet: syncing it with the tree costs as much as a quarter of the tree.
    # Should the power fail before the slot has its name, it comes again.
    if recipe.let_go is not None:
        recipe.let_go()
    files.sync_tree(staging)
    remember(staging, manifest)
    return manifest


def remember(slot: Path, manifest: SlotManifest) -> None:
    """Write the slot's manifest durably: the mark that everything else is there."""
    files.write_pieces_durably(slot / slot_manifest.FILENAME, slot_manifest.write(manifest), mode=_MANIFEST_MODE)


def publish(layout: Layout, staging: Path, name: str) -> Path:
    """Give the staged slot its name, durably; whatever had that name was damaged, and is set aside."""
    path = layout.slot(name)
    try:
        files.rename_new(staging, path)
    except FileExistsError:
        _take_the_place(layout, staging, path)
    files.fsync_directory(layout.versions)
    return path


def _take_the_place(layout: Layout, staging: Path, path: Path) -> None:
    """The damaged slot may be the current one, so where the system can, the two change places in one step."""
    aside = layout.leftover("damaged", path.name)
    if files.exchange(staging, path):
        staging.rename(aside)
        return
    path.rename(aside)
    staging.rename(path)


def _try_out(staging: Path, manifest: SlotManifest, plan: Plan) -> None:
    """Run the qualify command, and take away what it left in the slot: that was not signed."""
    if not plan.qualify:
        return
    qualify(plan.qualify, plan.layout.root, slot_of(staging, manifest), limit=plan.qualify_limit)
    for path in additions(staging, manifest, tolerated=()):
        _remove(staging / path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            _remove(inner)
        path.rmdir()
    else:
        path.unlink()
