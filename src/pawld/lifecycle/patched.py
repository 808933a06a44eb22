"""The short way to a build: a patch from a slot that stands here. Whatever goes wrong on it, the full build is next."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from pawld.errors import PawldError
from pawld.lifecycle.agent import Agent, Supply
from pawld.lifecycle.ledger import Ledger, build_of
from pawld.lifecycle.states import Downloading, Staging, Verifying
from pawld.model import Patch, Record, Slot
from pawld.ports import PatchingInstaller, Progress
from pawld.reasons import Reason
from pawld.values import dataclass

_OF_THE_BUILD = frozenset({Reason.WRONG_EXECUTABLE, Reason.QUALIFICATION_FAILED})
"""These are said of files that were proven to be the build's: the full build would end no better."""
_Way = tuple[Patch, Slot]
_log = logging.getLogger("pawld.lifecycle")
_TRIES = 2  # attempts at a build, after which only the full one is taken


@dataclass(frozen=True, slots=True)
class PatchedWay:
    """Tries the patches of one record in its order, and says in the chain of decisions what came of it."""

    agent: Agent
    supply: Supply
    ledger: Ledger
    progress: Progress

    def slot(self, record: Record, partial: Path) -> Slot | None:
        """Return the slot that a patch made; None where the full build is to be taken.

        *partial* is what may have come of the full build already.

        Raises:
            RejectedError: the files are the very build, and are not for this platform or do not qualify.
        """
        installer = self.agent.installer
        if not record.patches or not isinstance(installer, PatchingInstaller):
            return None
        bases = {slot.sha256: slot for slot in installer.slots()}
        based = [(one, bases[one.from_sha256]) for one in record.patches if one.from_sha256 in bases]
        usable = [(one, base) for one, base in based if one.engine in installer.engines()]
        why = self._passed_over(record, partial, based, usable)
        if why:
            self.ledger.say("patch", f"{why}, so the full build is taken")
            return None
        return self._first(record, usable, installer)

    def _passed_over(self, record: Record, partial: Path, based: Sequence[_Way], usable: Sequence[_Way]) -> str:
        """Say why no patch is tried; nothing where one is."""
        if not based:
            return "none is offered from what is installed here"
        if not usable:
            return f"this host has not the engine {based[0][0].engine}"
        if self.ledger.journal.attempts(record.sha256) > _TRIES:
            return "earlier attempts at this build did not come to their end"
        left = record.length - (partial.stat().st_size if partial.exists() else 0)
        return "less is missing of it than a patch has" if left <= min(one.length for one, _ in usable) else ""

    def _first(self, record: Record, ways: Sequence[_Way], installer: PatchingInstaller) -> Slot | None:
        for patch, base in ways:
            try:
                slot = self._made(record, patch, base, installer)
            except PawldError as error:
                if error.reason in _OF_THE_BUILD:
                    raise
                told = f"the one from {base.version} failed, so the next way is taken: {error.message}"
                _log.warning("%s: a patch: %s", self.agent.name, told)
                self.ledger.say("patch", told)
            else:
                told = f"made from {base.version} with {patch.length} bytes in place of {record.length}"
                self.ledger.say("patch", told)
                return slot
        return None

    def _made(self, record: Record, patch: Patch, base: Slot, installer: PatchingInstaller) -> Slot:
        build = build_of(record)
        told = f"A patch from {base.version} to {record.version} is on its way."
        self.ledger.move(Downloading(build), Reason.IN_PROGRESS, told, build)
        self.supply.preflight(self.supply.downloads, patch.length + installer.space_needed(record))
        partial = _download_of(patch, self.supply.downloads)
        places = self.supply.published(patch.target)
        brought = self.supply.mover.fetch(record.moved_as(patch), places, partial, self.progress)
        try:
            with brought.file:
                self.ledger.move(Verifying(build), Reason.IN_PROGRESS, "The patch is here and is being proven.", build)
                proven = self.supply.trust.prove_patch(record, patch, brought)
                told = f"{record.version} is being made from {base.version} and a proven patch."
                self.ledger.move(Staging(build), Reason.IN_PROGRESS, told, build)
                return installer.stage_patched(proven, base, self.progress)
        finally:
            forget_patches((patch,), self.supply.downloads)


def forget_patches(patches: Iterable[Patch], downloads: Path) -> None:
    """Remove what came of them; where that fails now, the sweep does it once they are stale."""
    for partial in (_download_of(one, downloads) for one in patches):
        with suppress(OSError):
            for left in (partial, partial.with_suffix(".resume")):
                left.unlink(missing_ok=True)


def _download_of(patch: Patch, downloads: Path) -> Path:
    return downloads / f"{patch.sha256}.unverified"
