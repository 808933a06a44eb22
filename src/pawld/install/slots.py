"""Slots: a build becomes a directory that never changes again, and one pointer says which is current.

The durable order, each step a promise that the next one leans on: write the files, prove the whole, sync the tree,
write the manifest and sync it, rename into place, sync the parent, move the pointer, sync the root. ``tests/crash``
enumerates what a crash may leave between any two of them.

It downloads nothing, starts no service and keeps no journal.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.install import sweep
from pawld.install.contents import Contents, PatchedContents
from pawld.install.integrity import TOLERATED, Examined, Health, examine
from pawld.install.layout import Layout, is_complete, read_manifest
from pawld.install.patching.engine import engines
from pawld.install.pointer import Pointer
from pawld.install.qualify import LIMIT
from pawld.install.shelf import Shelf, newness, slot_of
from pawld.install.staging import Plan, Recipe, make_slot, patched, publish, remember, whole
from pawld.model import Record, Slot
from pawld.ports import Clock, Progress, Verified, VerifiedPatch
from pawld.reasons import Reason
from pawld.system import files
from pawld.system.faults import host_faults
from pawld.system.running import in_use
from pawld.values import dataclass

_BLOCK = 4096  # bytes; what the last block of each file wastes on the average file system
_RESERVE = 1024 * 1024  # bytes for manifest, directories and pointer


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A directory with a slot's name, as it was found; *slot* is None where it has no readable manifest of ours."""

    name: str
    slot: Slot | None
    examined: Examined


class SlotInstaller:
    """The ``Installer`` of builds that are a directory or a single program.

    Args:
        root: the agent's root; made where it is missing.
        contents: how a build becomes files.
        pointer: what says which slot is current.
        clock: the time that a manifest notes.
        keep: at least so many slots survive a sweep, the newest first.
        qualify: a command that has to end with 0 before the build becomes a slot; empty for none.
        qualify_limit: how long it may take.
        tolerated: names that the agent may make in its slot.
        running: says which of some directories live programs run from.
    """

    def __init__(
        self,
        root: Path,
        contents: Contents,
        pointer: Pointer,
        clock: Clock,
        *,
        keep: int = 2,
        qualify: Sequence[str] = (),
        qualify_limit: timedelta = LIMIT,
        tolerated: Collection[str] = TOLERATED,
        running: Callable[[Collection[Path]], Collection[Path]] = in_use,
    ) -> None:
        if keep < 1:
            raise ValueError("at least the current slot is kept")
        self._layout = Layout(root)
        self._contents = contents
        self._pointer = pointer
        self._shelf = Shelf(root, pointer)
        self._clock = clock
        self._keep = keep
        self._qualify = tuple(qualify)
        self._qualify_limit = qualify_limit
        self._tolerated = frozenset(tolerated)
        self._running = running

    @property
    def versions(self) -> Path:
        """Where the slots lie."""
        return self._layout.versions

    def current(self) -> Slot | None:
        """Return the slot that the pointer leads to; None where it leads to no complete slot."""
        return self._shelf.current()

    def slots(self) -> Sequence[Slot]:
        """Return every slot of ours that has a readable manifest, newest sequence first."""
        return self._shelf.slots()

    def survey(self) -> Sequence[Surveyed]:
        """Hash everything that has a slot's name and tell its state: those that hold first, the newest of them first.

        With it a lost journal is made anew: the first one is the one to run, where its health holds.
        """
        found = [self._surveyed(path) for path in self._layout.slot_directories()]
        found.sort(key=lambda one: (0, "", "") if one.slot is None else newness(one.slot), reverse=True)
        return sorted(found, key=lambda one: not one.examined.health.holds)

    def space_needed(self, record: Record) -> int:
        """Return how many bytes staging takes beside the download, with what small files waste."""
        count = record.unpacked.files if record.unpacked else 0
        return self._contents.space_needed(record) + count * _BLOCK + _RESERVE

    def intact(self, slot: Slot) -> bool:
        """Hash every file of the slot; anything missing or changed makes it False.

        What was added does not, as ``examine`` tells it: an agent that writes a log into its own slot must neither be
        rolled back for it at the next boot, nor lose its way back.
        """
        return self.examine(slot).health.holds

    def examine(self, slot: Slot) -> Examined:
        """Hash every file of the slot, and tell what is wrong with it."""
        return examine(slot.path, tolerated=self._tolerated)

    def stage(self, build: Verified, progress: Progress) -> Slot:
        """Make the slot complete and durable beside the others; an intact one of the same build is used again.

        Raises:
            RejectedError: the build is not what its record says, not for this platform, or does not qualify.
            TransientError: the host's fault: no space, no permission, a broken disk. Nothing is left behind.
        """
        return self._staged(whole(build, self._contents, progress))

    def engines(self) -> Collection[str]:
        """Return the engines of patches that this host can apply."""
        return engines() if isinstance(self._contents, PatchedContents) else ()

    def stage_patched(self, patch: VerifiedPatch, base: Slot, progress: Progress) -> Slot:
        """Make the slot as ``stage`` does, out of a patch and the slot *base*, which is only read.

        Raises:
            RejectedError: what comes out is not the very build, not for this platform, or does not qualify.
            TransientError: patch_failed, slot_damaged, or the host's fault. Nothing is left behind.
        """
        if not isinstance(self._contents, PatchedContents):
            raise TransientError(Reason.PATCH_FAILED, "This kind of build cannot be made out of a patch.")
        return self._staged(patched(patch, self._layout.slot(base.name), self._contents, progress))

    def activate(self, slot: Slot) -> None:
        """Move the pointer to the slot, atomically and durably.

        Raises:
            TransientError: slot_damaged, where it is not complete any more; or the host's fault.
            OperatorError: owned_by_others, where something else than our pointer has its name.
        """
        path = self._layout.slot(slot.name)
        if not is_complete(path):
            raise TransientError(
                Reason.SLOT_DAMAGED, f"The slot {slot.name} has no readable manifest, so nothing points to it."
            )
        with host_faults(f"Moving {self._pointer.path.name} to {slot.name}"):
            self._pointer.move(slot.name)

    def pointing_command(self, slot: Slot) -> Sequence[str]:
        """Return a command that moves the pointer to the slot though pawld be dead or broken."""
        return self._pointer.command(slot.name)

    def sweep(self, keep: Iterable[str]) -> int:
        """Remove leftovers, and slots that nothing needs; return the bytes freed.

        A slot stays when its name is in *keep*, when it is current, when a live process runs from it, when it is not
        ours, or when it is among the newest that ``keep=`` grants.
        """
        with host_faults("Sweeping"):
            install_id = self._layout.prepare()
            retained = self._retained(keep)
            digests = {slot.sha256 for slot in self.slots()}
            stale = sweep.stale_downloads(self._layout, retained, digests, self._clock.now())
            freed = sweep.remove_files([*stale, *sweep.pointers_in_the_making(self._layout)])
            doomed = sweep.slots_to_remove(self._layout, install_id, retained)
            return freed + sweep.remove_all(self._layout, [*sweep.leftovers(self._layout), *doomed], self._running)

    def _retained(self, keep: Iterable[str]) -> set[str]:
        linked = self._pointer.read()
        retained = set(keep) | sweep.linked_slots(self._layout) | ({linked} if linked else set())
        slots = self.slots()
        here = sum(slot.name in retained for slot in slots)
        spare = [slot.name for slot in slots if slot.name not in retained]
        return retained | set(spare[: max(0, self._keep - here)])

    def _reused(self, record: Record, install_id: str) -> Slot | None:
        """An intact slot of the very same build is as good as a new one; only what the record calls it may change."""
        path = self._layout.slot(record.slot_name)
        manifest = read_manifest(path)
        if manifest is None:
            return None
        if manifest.install_id != install_id:
            raise OperatorError(
                Reason.OWNED_BY_OTHERS, f"{str(path)!r} was made by another installation; move it away."
            )
        if manifest.sha256 != record.sha256 or examine(path, tolerated=self._tolerated).health is not Health.INTACT:
            return None
        named = replace(manifest, sequence=record.sequence, entrypoint=self._contents.entrypoint(record))
        if named != manifest:
            remember(path, named)
        files.fsync_directory(self._layout.versions)
        return slot_of(path, named)

    def _staged(self, recipe: Recipe) -> Slot:
        with host_faults(f"Staging version {recipe.record.version}"):
            install_id = self._layout.prepare()
            return self._reused(recipe.record, install_id) or self._made(recipe, install_id)

    def _made(self, recipe: Recipe, install_id: str) -> Slot:
        staging = self._layout.leftover("staging", recipe.record.slot_name)
        plan = Plan(self._layout, install_id, self._qualify, self._qualify_limit, self._clock.now())
        try:
            manifest = make_slot(staging, recipe, self._contents, plan)
            path = publish(self._layout, staging, recipe.record.slot_name)
        except (OSError, PawldError):
            with suppress(OSError):  # the first fault is the one to tell; what is left is the next sweep's
                sweep.remove_all(self._layout, [staging] if staging.exists() else [], self._running)
            raise
        return slot_of(path, manifest)

    def _surveyed(self, path: Path) -> Surveyed:
        return Surveyed(path.name, self._shelf.slot(path), examine(path, tolerated=self._tolerated))
