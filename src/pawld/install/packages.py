"""A build that is a package of the operating system: the package manager installs and owns it; pawld keeps the file.

A slot holds nothing but the proven package, kept for the way back. To activate it is to hand it to the package manager,
and the pointer moves only after that said yes. What is installed is the package manager's word, never the pointer's: a
package that somebody installed or removed by hand shows as what it is.
"""

import hashlib
import shlex
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from pawld.errors import RejectedError, TransientError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Limits, Written, unpack_program
from pawld.install.slots import SlotInstaller
from pawld.model import Record, Slot, Unpacked
from pawld.ports import Progress, Rebooting, Verified
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.system.held import holder_of, named
from pawld.values import dataclass

_NOBODYS = "0" * 12  # ends the name of what no slot of ours holds


class PackageManager(Protocol):
    """What owns the installed package.

    Attributes:
        form: the record's format, and the kept file's suffix: ``deb``, ``rpm``, ``msi`` or ``pkg``.
    """

    form: str

    def check(self, package: Path) -> None:
        """Refuse a package of another name, or for another CPU: ``RejectedError`` (wrong_executable)."""

    def version(self, package: Path) -> str:
        """Return the version that ``installed`` tells once this package is installed; ``RejectedError`` as above."""

    def installed(self) -> str | None:
        """Return the installed version; None where there is none, or one whose installation never ended."""

    def install(self, package: Path) -> None:
        """Install it over whatever is there, older or newer; to do it again is harmless.

        Raises:
            TransientError: package_manager_busy, needs_reboot, or the host's fault.
            RejectedError: installer_failed, with its last words.
        """

    def way_back(self, package: Path) -> str:
        """Return a line for the system's shell that installs it without pawld."""


class PackageContents:
    """The proven package as the one file of its slot."""

    def __init__(self, manager: PackageManager) -> None:
        self._manager = manager

    def space_needed(self, record: Record) -> int:
        """Return the file's own size; what the installed files take is the package manager's to judge."""
        return record.length

    def entrypoint(self, record: Record) -> None:
        """Return None: nothing is started from the slot."""
        del record

    def place(self, build: Verified, into: Path, progress: Progress) -> Written:
        """Copy the proven bytes; ``RejectedError`` (archive_refused) for a build of another format."""
        record = build.record
        if record.format != self._manager.form:
            raise RejectedError(
                Reason.ARCHIVE_REFUSED,
                f"The build is a {record.format}; this agent is installed from a {self._manager.form}.",
            )
        limits = Limits.of(Unpacked(record.length, 1) if record.length_signed else None)
        with build.stream() as package:
            return unpack_program(package, kept_name(self._manager), into, limits, progress, record.sha256)

    def check(self, into: Path, files: Sequence[FileEntry], record: Record) -> None:
        """Ask the package manager what the package is, before it may become a slot."""
        del files, record
        self._manager.check(into / kept_name(self._manager))


def kept_name(manager: PackageManager) -> str:
    """Return what a slot calls its package."""
    return f"package.{manager.form}"


@dataclass(frozen=True, slots=True)
class PackageInstaller:
    """The ``Installer`` of builds that are packages.

    Attributes:
        shelf: keeps their files.
        manager: installs them.
        locks: looks up the files that the package manager holds locked while it is at work.
    """

    shelf: SlotInstaller
    manager: PackageManager
    locks: Callable[[], Sequence[Path]] = tuple

    def current(self) -> Slot | None:
        """Return the slot whose package is installed, by the package manager's own word.

        A version that no slot holds is returned as a slot without files: somebody installed it by hand.
        """
        installed = self.manager.installed()
        if installed is None:
            return None
        pointed = self.shelf.current()
        candidates = [*([pointed] if pointed else []), *self.shelf.slots()]
        return next((one for one in candidates if self._version(one) == installed), None) or self._nobodys(installed)

    def slots(self) -> Sequence[Slot]:
        """Return every complete slot, newest sequence first."""
        return self.shelf.slots()

    def space_needed(self, record: Record) -> int:
        """Return how many bytes the kept package takes."""
        return self.shelf.space_needed(record)

    def stage(self, build: Verified, progress: Progress) -> Slot:
        """Keep the package beside the others; nothing is installed yet."""
        return self.shelf.stage(build, progress)

    def intact(self, slot: Slot) -> bool:
        """Hash the kept package. One that somebody installed by hand has none, and nothing of ours is damaged."""
        return slot.name.endswith(f"-{_NOBODYS}") or self.shelf.intact(slot)

    def activate(self, slot: Slot) -> None:
        """Have the package installed unless it is, then move the pointer.

        Raises:
            TransientError: package_manager_busy, needs_reboot, slot_damaged, or the host's fault.
            RejectedError: installer_failed: one of the package's own scripts failed, for example.
        """
        package = self._kept(slot)
        self._refuse_damaged(slot, package)
        pointed = self.shelf.current()
        if pointed is None or pointed.name != slot.name or self.manager.installed() != self.manager.version(package):
            self.manager.install(package)
        self.shelf.activate(slot)

    def pointing_command(self, slot: Slot) -> Sequence[str]:
        """Return a command that installs the kept package and moves the pointer, though pawld be dead."""
        point = list(self.shelf.pointing_command(slot))
        install = self.manager.way_back(self._kept(slot))
        if point[0] == "cmd.exe":
            return [*point[:2], f"{install} && {point[2]}"]
        moved = point[2] if point[:2] == ["/bin/sh", "-c"] else shlex.join(point)
        return ["/bin/sh", "-c", f"{install} && {moved}"]

    def at_work(self) -> str | None:
        """Say who holds a lock of the package manager's, which may be the one that pawld started before it died."""
        with host_faults("Asking for the package manager's lock"):
            held = [(lock, holder) for lock in self.locks() if (holder := holder_of(lock)) is not None]
        return next((f"process {named(holder)} holds {lock}." for lock, holder in held), None)

    def reboot_needed(self) -> str | None:
        """Return what the package manager says of it; most have no such thing."""
        return self.manager.reboot_needed() if isinstance(self.manager, Rebooting) else None

    def sweep(self, keep: Iterable[str]) -> int:
        """Remove leftovers, and kept packages that nothing needs."""
        current = self.current()
        return self.shelf.sweep({*keep, *([current.name] if current else [])})

    def _kept(self, slot: Slot) -> Path:
        return slot.path / kept_name(self.manager)

    def _version(self, slot: Slot) -> str | None:
        """A package that cannot be read any more is nobody's version."""
        with suppress(RejectedError):
            return self.manager.version(self._kept(slot))
        return None

    def _nobodys(self, version: str) -> Slot:
        upstream = version.partition(":")[2] or version  # without a Debian or RPM epoch
        upstream = upstream.rpartition("-")[0] or upstream  # without the packager's revision
        name = "".join(one if one.isalnum() or one in "._+-" else "_" for one in upstream)
        return Slot(self.shelf.versions / f"{name}-{_NOBODYS}", upstream, "")

    def _refuse_damaged(self, slot: Slot, package: Path) -> None:
        """Its scripts run as root, so the file is hashed again right before, whatever its manifest says."""
        with host_faults(f"Reading {package.name} of {slot.name}"), package.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != slot.sha256:
            raise TransientError(
                Reason.SLOT_DAMAGED, f"The package kept in {slot.name} is not the build that was proven any more."
            )
