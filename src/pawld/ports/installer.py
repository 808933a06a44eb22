"""What stands in an agent's root, and what makes and moves it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, runtime_checkable

from pawld.model import Record, Slot
from pawld.ports.telling import Progress
from pawld.ports.trust import Verified, VerifiedPatch


class Installer(Protocol):
    """Turns proven bytes into a slot, and moves the pointer."""

    def current(self) -> Slot | None:
        """Return the slot that ``current`` leads to."""

    def slots(self) -> Sequence[Slot]:
        """Return every complete slot, newest sequence first."""

    def space_needed(self, record: Record) -> int:
        """Return how many bytes staging takes beside the download."""

    def stage(self, build: Verified, progress: Progress) -> Slot:
        """Make the slot complete and durable beside the others; running it again is harmless."""

    def intact(self, slot: Slot) -> bool:
        """Hash every file of the slot against its manifest."""

    def activate(self, slot: Slot) -> None:
        """Move ``current`` to the slot, atomically and durably; running it again is harmless."""

    def pointing_command(self, slot: Slot) -> Sequence[str]:
        """Return a command that moves ``current`` to the slot without pawld: the dead man's switch runs it."""

    def sweep(self, keep: Iterable[str]) -> int:
        """Remove leftovers, and slots whose names are not in *keep* nor linked nor running; return bytes freed."""


@runtime_checkable
class PatchingInstaller(Installer, Protocol):
    """An installer that can also make a slot out of a patch and another slot."""

    def engines(self) -> Collection[str]:
        """Return the engines of patches that this host can apply."""

    def stage_patched(self, patch: VerifiedPatch, base: Slot, progress: Progress) -> Slot:
        """Make the slot as ``stage`` does; any failure leaves nothing behind, and says nothing against the build."""


@runtime_checkable
class Outliving(Protocol):
    """An installer whose work goes on though pawld died in its middle."""

    def at_work(self) -> str | None:
        """Return who installs something now, as a sentence; None where nobody does."""


@runtime_checkable
class Rebooting(Protocol):
    """An installer whose work may be over only after the next start of the host."""

    def reboot_needed(self) -> str | None:
        """Return the sentence that tells it, where the last ``activate`` ended so."""
