"""What stands in an agent's root, read and never written: the slots, and which one is current."""

from collections.abc import Sequence
from pathlib import Path

from pawld.formats.slot_manifest import SlotHead
from pawld.install.layout import Layout, read_head
from pawld.install.pointer import Pointer, pointer_for
from pawld.model import Slot
from pawld.system.faults import host_faults


class Shelf:
    """The slots below *root*; *pointer* is the form of pointer there, by default this system's."""

    def __init__(self, root: Path, pointer: Pointer | None = None) -> None:
        self._layout = Layout(root)
        self._pointer = pointer or pointer_for(root)

    def current(self) -> Slot | None:
        """Return the slot that the pointer leads to; None where it leads to no complete slot.

        Raises:
            TransientError: the disk does not tell.
        """
        path = self._pointed()
        return None if path is None else self.slot(path)

    def pointed(self) -> Slot | None:
        """Return what the pointer leads to, complete or not: the agent runs from there, whatever its manifest says."""
        path = self._pointed()
        return None if path is None else self.slot(path) or Slot(path, path.name.rpartition("-")[0], "")

    def slots(self) -> Sequence[Slot]:
        """Return every slot of ours that has a readable manifest, newest sequence first.

        Raises:
            TransientError: the disk does not tell.
        """
        with host_faults("Reading the slots"):
            paths = self._layout.slot_directories()
        found = [slot for path in paths if (slot := self.slot(path)) is not None]
        return sorted(found, key=newness, reverse=True)

    def _pointed(self) -> Path | None:
        with host_faults("Reading which slot is current"):
            name = self._pointer.read()
        return None if name is None else self._layout.slot(name)

    def slot(self, path: Path) -> Slot | None:
        """Return the slot at *path*; None where it is not complete, or another installation's."""
        head = read_head(path) or read_head(path)  # a look that failed for a moment makes no slot incomplete
        ours = self._layout.install_id()
        if head is None or (ours is not None and head.install_id != ours):
            return None
        return slot_of(path, head)


def slot_of(path: Path, head: SlotHead) -> Slot:
    """Return the slot at *path* in the words of the lifecycle."""
    return Slot(path, head.version, head.sha256, head.sequence, head.entrypoint, head.installed_at)


def newness(slot: Slot) -> tuple[int, str, str]:
    """Return what slots are ordered by."""
    when = slot.installed_at.isoformat() if slot.installed_at else ""
    return slot.sequence, when, slot.name
