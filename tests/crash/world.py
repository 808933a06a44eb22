"""One agent's root with a version installed, the update that the rigs interrupt, and the invariant.

It is imported by tests, and run as a program of its own by the rigs that need a process to kill or to record.
"""

import gzip
import io
import os
import shutil
import sys
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.verified import Quiet, build

from pawld.install.directory import ArchiveContents
from pawld.install.integrity import Health, examine
from pawld.install.pointer import LinkPointer
from pawld.install.slots import SlotInstaller
from pawld.lifecycle.high_water import HighWater
from pawld.model import Platform
from pawld.ports import Verified
from pawld.system import files

PLATFORM = Platform("linux", "x86_64")
OLD, NEW = "1.0.0", "2.0.0"


class StillClock:
    """Time that stands, so that two runs make the same bytes."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, duration: timedelta) -> None: ...


def release(version: str) -> Verified:
    """Return a small build of that version: three files, one of which both versions share, and an empty directory."""
    members = {
        "bin/agent": f"#!/bin/sh\necho {version}\n".encode() * 2000,
        "etc/agent.conf": f"version={version}\n".encode(),
        "lib/core.so": bytes(range(256)) * 40,
    }
    held = io.BytesIO()
    # The time in gzip's header would make each process another build.
    with (
        gzip.GzipFile(fileobj=held, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755 if name.startswith("bin/") else 0o644
            archive.addfile(member, io.BytesIO(data))
        empty = tarfile.TarInfo("var")
        empty.type, empty.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(empty)
    return build(held.getvalue(), version, sequence=int(version[0]), form="tar.gz", entrypoint="bin/agent")


def installer(root: Path) -> SlotInstaller:
    """Return the real installer over *root*."""
    return SlotInstaller(root, ArchiveContents(PLATFORM), LinkPointer(root), StillClock(), keep=1, running=lambda _: ())


def install_old(root: Path) -> None:
    """Install the old version, whole, as the state that everything starts from."""
    one = installer(root)
    one.activate(one.stage(RELEASES[OLD], Quiet()))


def update(root: Path, committed: Callable[[], object] = lambda: None) -> None:
    """Stage the new version, make it current, report it, and sweep what is not needed any more."""
    one = installer(root)
    slot = one.stage(RELEASES[NEW], Quiet())
    one.activate(slot)
    committed()
    one.sweep([slot.name])


def install_both(root: Path) -> None:
    """Install the old version and then the new one, and keep both, as during probation."""
    install_old(root)
    one = installer(root)
    one.activate(one.stage(RELEASES[NEW], Quiet()))


def rollback(root: Path, committed: Callable[[], object] = lambda: None) -> None:
    """Make the old version current again, report it, and sweep the other; a second run finds nothing to do."""
    one = installer(root)
    slot = next(slot for slot in one.slots() if slot.version == OLD)
    one.activate(slot)
    committed()
    one.sweep([slot.name])


def running_version(root: Path) -> str:
    """Return which version ``current`` leads to, every byte of it proven; or ``BROKEN: …``."""
    try:
        target = root / (root / "current").readlink()
    except OSError as error:
        return f"BROKEN: no current ({error.strerror})"
    examined = examine(target)
    if examined.health is not Health.INTACT:
        return f"BROKEN: {examined.detail}"
    return target.name.rsplit("-", 1)[0]


def left_over(root: Path, version: str = NEW) -> list[str]:
    """Return what a finished change to *version* would not have left."""
    expected = {"current", "versions", ".pawld"}
    slots = {RELEASES[version].record.slot_name}
    extra = names_in(root) - expected | names_in(root / "versions") - slots | names_in(root / ".pawld") - {"id"}
    return sorted(extra)


def names_in(directory: Path) -> set[str]:
    """Return the names in a directory."""
    return {one.name for one in directory.iterdir()}


def fresh(template: Path, root: Path) -> Path:
    """Make *root* anew as a copy of *template*."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root, symlinks=True)
    return root


RELEASES = {version: release(version) for version in (OLD, NEW)}


def _no_sync() -> None:
    """Broken on purpose: nothing is ever synced."""
    files.fsync = lambda _: None
    files.fsync_directory = lambda _: None
    files.sync_filesystem = lambda _: None


def _no_directory_sync() -> None:
    """Broken on purpose: data is synced, names are not."""
    files.fsync_directory = lambda _: None


def _unlink_first() -> None:
    """Broken on purpose: a moment without a pointer."""

    def move(self: LinkPointer, name: str) -> None:
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(f"versions/{name}")
        files.fsync_directory(self.path.parent)

    LinkPointer.move = move  # type: ignore[method-assign]  # that is the fault


def _one_sync_for_all() -> None:
    """Not broken: a tree of many files is synced by one syncfs instead of file by file."""
    sync_tree = files.sync_tree
    files.sync_tree = lambda root, **_: sync_tree(root, each_up_to=0)


def _lazy_marks() -> None:
    """Broken on purpose: marks are kept beside the database alone, written in place and never synced."""

    def raise_to(self: HighWater, agent: str, name: str, value: int) -> None:
        self._copy.unlink(missing_ok=True)
        self._copy.write_text(f'{{"{agent}": {{"{name}": {value}}}}}')
        self._database.transaction().__enter__().execute("DELETE FROM marks").connection.commit()

    HighWater.raise_to = raise_to  # type: ignore[method-assign]  # that is the fault


VARIANTS: dict[str, Callable[[], None]] = {
    "good": lambda: None,
    "syncfs": _one_sync_for_all,
    "no_sync": _no_sync,
    "no_directory_sync": _no_directory_sync,
    "unlink_first": _unlink_first,
    "lazy_marks": _lazy_marks,
}


ACTS: dict[str, Callable[[Path, Callable[[], object]], None]] = {"update": update, "rollback": rollback}

# How each act's root is made, and the version that it ends in.
PREPARED: dict[str, tuple[Callable[[Path], None], str]] = {
    "update": (install_old, NEW),
    "rollback": (install_both, OLD),
}


def main(variant: str, act: str, root: str) -> None:
    """Change *root* in this process; ``COMMITTED`` on stdout is the promise that the rigs hold it to."""
    VARIANTS[variant]()
    os.getppid()  # the mark in a trace: what comes before is only Python starting
    ACTS[act](Path(root), lambda: os.write(1, b"COMMITTED\n"))


if __name__ == "__main__":
    main(*sys.argv[1:])
