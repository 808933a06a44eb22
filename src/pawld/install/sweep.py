"""The one place that removes anything below an agent's root, by a list of what may go.

What may go: our own leftovers, downloads that nobody resumes, and slots of ours that nothing needs. What stays, always:
what is linked, what a live process runs from, what the caller keeps, and whatever is not provably ours.
"""

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from pawld.formats.slot_manifest import FILENAME
from pawld.install.layout import Layout, is_download, is_leftover, is_slot_name, read_head
from pawld.system import files

STALE = timedelta(days=7)  # after this long nobody resumes a download
_POINTERS_IN_THE_MAKING = (".current.new", ".current.json.new", ".current.back", ".current.back.json")

InUse = Callable[[Collection[Path]], Collection[Path]]


def slots_to_remove(layout: Layout, install_id: str, retained: Collection[str]) -> list[Path]:
    """Return the slots whose names are not *retained* and whose manifest has our id, or rotted beyond reading.

    A directory without any manifest was made by others: ours get their name with it inside, in one step.
    """
    heads = ((path, read_head(path)) for path in layout.slot_directories() if path.name not in retained)
    return [path for path, head in heads if (_has_rotted(path) if head is None else head.install_id == install_id)]


def _has_rotted(slot: Path) -> bool:
    """Whether its manifest is read and says nothing; one that cannot be read now may be a way back another day."""
    manifest = slot / FILENAME
    try:
        if manifest.is_symlink() or not manifest.is_file():
            return False
        manifest.read_bytes()
    except OSError:
        return False
    return read_head(slot) is None


def linked_slots(layout: Layout) -> set[str]:
    """Return the slots that any link beside ``current`` leads into, whoever made it and however it is written."""
    versions = Path(os.path.realpath(layout.versions))
    with os.scandir(layout.root) as entries:
        targets = [Path(os.path.realpath(one.path)) for one in entries if one.is_symlink()]
    return {target.relative_to(versions).parts[0] for target in targets if versions in target.parents}


def leftovers(layout: Layout) -> list[Path]:
    """Return what unfinished steps left in ``versions``."""
    with os.scandir(layout.versions) as entries:
        names = [one.name for one in entries if is_leftover(one.name) and one.is_dir(follow_symlinks=False)]
    return [layout.versions / name for name in sorted(names)]


def stale_downloads(layout: Layout, keep: Iterable[str], installed: Collection[str], now: datetime) -> list[Path]:
    """Return downloads of builds that are installed, and those that are older than ``STALE`` and not in *keep*."""
    kept = set(keep)
    return [
        path
        for path in sorted(layout.private.iterdir())
        if is_download(path.name) and path.name not in kept and _is_stale(path, installed, now)
    ]


def _is_stale(path: Path, installed: Collection[str], now: datetime) -> bool:
    """A clock that was set back makes an age negative; such a file is simply young."""
    found = path.lstat()
    if any(sha256 in path.name for sha256 in installed):
        return True
    return now.timestamp() - found.st_mtime > STALE.total_seconds()


def remove_all(layout: Layout, paths: Collection[Path], in_use: InUse) -> int:
    """Remove these directories of ``versions`` unless something runs from them; return the bytes freed.

    Each gets a name that is no slot's before its first file goes, durably: half of it never looks like a slot.
    """
    busy = set(in_use(paths))
    return sum(_remove(layout, path) for path in paths if path not in busy)


def _remove(layout: Layout, path: Path) -> int:
    if is_slot_name(path.name):
        trash = layout.leftover("trash", path.name)
        try:
            path.rename(trash)
        except PermissionError as error:
            if getattr(error, "winerror", None) is None:
                raise
            return 0  # a program runs from it, or a scanner reads it; the next sweep asks again
        files.fsync_directory(layout.versions)
        path = trash
    freed = size_of(path)
    shutil.rmtree(path, ignore_errors=False)
    return freed


def remove_files(paths: Iterable[Path]) -> int:
    """Remove these files; return the bytes freed."""
    freed = 0
    for path in paths:
        with suppress(FileNotFoundError):
            freed += path.lstat().st_size
            path.unlink()
    return freed


def pointers_in_the_making(layout: Layout) -> list[Path]:
    """Return the pointers that were made and never moved into place."""
    return [path for name in _POINTERS_IN_THE_MAKING if os.path.lexists(path := layout.root / name)]


def size_of(directory: Path) -> int:
    """Return the bytes of every regular file below *directory*, following no link."""
    return sum(path.lstat().st_size for path in _files_below(directory))


def _files_below(directory: Path) -> Iterator[Path]:
    for place, _, names in os.walk(directory):
        yield from (Path(place) / name for name in names)
