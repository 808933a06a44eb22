"""Makes the patches of one build: one for each older build that is kept here, dropped where it saves too little."""

import functools
import hashlib
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from pawld.formats.patch import PROGRAM, NewFile, PatchHeader, TooLargeError
from pawld.lifecycle.versions import older
from pawld.model import Patch, Record
from pawld.publish import artifacts
from pawld.publish.builds import Build, Ledger
from pawld.publish.contents import ARCHIVES, tree_of
from pawld.publish.layout import Layout
from pawld.publish.patching.comparison import Comparison
from pawld.publish.patching.difference import write_patch
from pawld.publish.patching.streams import Archived, gathered
from pawld.system.faults import host_faults
from pawld.system.files import fsync

ENGINE = "hdiffpatch"
BASES = 2  # builds back that a host may be
WORTH = 0.6  # of the full build; a longer patch saves too little for what it costs to make, keep and apply


def can_make() -> bool:
    """Say whether the engine is installed here (the extra ``pawld[delta]``)."""
    return find_spec(ENGINE) is not None


def patches_for(layout: Layout, record: Record, path: Path, bases: int = BASES) -> tuple[Patch, ...]:
    """Make and keep patches to the build at *path* from the newest *bases* older ones; none without the engine.

    A build whose evidence speaks of the whole file gets none: a host could not check it on what a patch makes.
    """
    if not can_make() or _is_vouched_for(record) or (record.format != "file" and record.tree_sha256 is None):
        return ()
    found = (_patch(layout, base, record, path) for base in _bases(layout, record)[:bases])
    return tuple(one for one in found if one is not None)


def _bases(layout: Layout, record: Record) -> list[Record]:
    """Return the older builds of the same kind whose bytes are here, newest version first."""
    ingested = Ledger(layout.builds).of_platform(record.product, record.platform)
    kept = [one.record for one in ingested if _fits(one, record) and layout.blob(one.record.sha256).exists()]
    return sorted(kept, key=functools.cmp_to_key(_newest_first))


def _newest_first(one: Record, other: Record) -> int:
    return 1 if older(one.version, other.version) else -1


def _fits(build: Build, record: Record) -> bool:
    same_kind = (build.record.format in ARCHIVES) == (record.format in ARCHIVES)
    return same_kind and build.record.sha256 != record.sha256 and bool(older(build.record.version, record.version))


def _patch(layout: Layout, base: Record, record: Record, path: Path) -> Patch | None:
    old = Archived(layout.blob(base.sha256), base.filename, base.format)
    new = Archived(path, record.filename, record.format)
    with host_faults("Making a patch"), TemporaryDirectory(dir=layout.incoming) as work:
        made = Path(work) / "patch"
        with made.open("xb") as file:
            try:
                make_patch(old, new, Path(work), file)
            except TooLargeError:
                return None
            file.flush()
            fsync(file.fileno())
        length = made.stat().st_size
        if length > WORTH * record.length:
            return None
        with made.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        artifacts.keep(layout, made, sha256)
    return Patch(base.sha256, f"sha256/{sha256}", ENGINE, length, sha256)


def make_patch(old: Archived, new: Archived, work: Path, to: BinaryIO) -> None:
    """Write the patch from one build to the other, both of one kind; *work* is an empty directory for the streams."""
    if new.format == "file":
        whole = NewFile(PROGRAM, 0o755, new.path.stat().st_size)
        write_patch(PatchHeader("", (PROGRAM,), (whole,), ()), old.path, new.path, to)
        return
    before, after = (tree_of(one.path, one.name, one.format) for one in (old, new))
    header = Comparison(before, after).header()
    sizes = {one.path: one.size for one in before.files}
    gathered(old, [(path, sizes[path]) for path in header.old], work / "old")
    gathered(new, [(one.path, one.size) for one in header.new], work / "new")
    write_patch(header, work / "old", work / "new", to)


def _is_vouched_for(record: Record) -> bool:
    return any(not one.optional for one in record.evidence)
