"""From a signed record to a complete slot beside the current one. The running agent is not touched here."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pawld.errors import PawldError, RejectedError, TransientError
from pawld.formats.tree import MOST_LISTED
from pawld.lifecycle.agent import Agent, Supply
from pawld.lifecycle.ledger import Ledger, build_of
from pawld.lifecycle.patched import PatchedWay, forget_patches
from pawld.lifecycle.silence import Silence
from pawld.lifecycle.states import Downloading, Staging, Verifying
from pawld.model import NoBuild, Record, Slot
from pawld.ports import Bring, Progress, Verified
from pawld.reasons import Cause, Reason
from pawld.values import dataclass

_GUESS = 64 * 1024 * 1024  # bytes of a build whose length nobody signed, until it has come
_WORTHLESS = frozenset({Reason.DIGEST_MISMATCH, Reason.LENGTH_MISMATCH, Reason.EVIDENCE_MISSING})
"""After these the bytes that came are good for nothing; after anything else they are resumed."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Download, verify and stage one build."""

    agent: Agent
    supply: Supply
    ledger: Ledger
    progress: Progress

    def slot(self, record: Record) -> Slot:
        """Return the complete slot of *record*, making it where it is not there yet.

        Raises:
            RejectedError: the bytes are not proven, or the build is not fit for this host.
            TransientError: network, host or attempts; what came is kept.
        """
        ready = self._already_staged(record)
        if ready is not None:
            forget_patches(record.patches, self.supply.downloads)  # of a start that was cut off when it had made it
            return ready
        self._count_attempt(record)
        try:
            short = PatchedWay(self.agent, self.supply, self.ledger, self.progress)
            slot = short.slot(record, self._partial(record)) or self._from_the_full_build(record)
        except PawldError as error:
            self._clean_up(record, error)
            raise
        with suppress(OSError):  # the slot is complete; a download that cannot be removed now is the next sweep's
            self._partial(record).unlink(missing_ok=True)
        return slot

    def _from_the_full_build(self, record: Record) -> Slot:
        # What is unpacked as it comes has one progress to show, not two.
        watched = Silence() if _streams(record) else self.progress
        with self._proven(record) as build:
            return self.agent.installer.stage(build, watched)

    def _already_staged(self, record: Record) -> Slot | None:
        found = next((one for one in self.agent.installer.slots() if one.sha256 == record.sha256), None)
        return found if found is not None and self.agent.installer.intact(found) else None

    def _count_attempt(self, record: Record) -> None:
        journal = self.ledger.journal
        begun = journal.attempts(record.sha256)
        if begun >= self.agent.limits.attempts:
            message = f"{record.version} was begun {begun} times and never finished; it is left alone for a while."
            self._convict(record, Reason.ATTEMPTS_EXHAUSTED, message)
            raise TransientError(Reason.ATTEMPTS_EXHAUSTED, message)
        journal.count_attempt(record.sha256)

    @contextmanager
    def _proven(self, record: Record) -> Iterator[Verified]:
        """Download and prove; the file is held open, so that what is unpacked is what was proven."""
        supply, build = self.supply, build_of(record)
        told = f"{record.version} is on its way."
        self.ledger.move(Downloading(build), Reason.IN_PROGRESS, told, build)
        locations = supply.source.locate(record)
        if isinstance(locations, NoBuild):
            raise TransientError(Reason.NO_ADDRESS, locations.message)
        self._preflight(record)
        partial = self._partial(record)
        if _streams(record):
            self._say_staging(record)
            yield supply.trust.prove_chunks(
                record,
                lambda proof: supply.mover.chunks(record, locations, partial, self.progress, proof),
                partial,
                self._listing(record),
            )
            return
        downloaded = supply.mover.fetch(record, locations, partial, self.progress)
        with downloaded.file:
            told = f"{record.version} is here and is being proven."
            self.ledger.move(Verifying(build), Reason.IN_PROGRESS, told, build)
            proven = supply.trust.prove(record, downloaded)
            if not record.length_signed:
                self._preflight_of_staging(proven.record, downloaded.path.stat().st_size)
            self._say_staging(record)
            yield proven

    def _listing(self, record: Record) -> Bring | None:
        """Return what brings the list of the build's files; None where every file is to be hashed.

        So is a build whose slot stands here, for it is damaged: were its list the cause, it would be damaged again.
        """
        if record.tree_sha256 is None or any(one.sha256 == record.sha256 for one in self.agent.installer.slots()):
            return None
        sha256, mover = record.tree_sha256, self.supply.mover
        places = self.supply.published(f"sha256/{sha256}")
        return lambda accept: mover.beside(sha256, places, MOST_LISTED, accept)

    def _preflight(self, record: Record) -> None:
        if (
            not record.length_signed
        ):  # a guess stands for the download alone: what it unpacks to is seen once it is here
            self.supply.preflight(self.supply.downloads, min(record.length, _GUESS))
            return
        self.supply.preflight(self.supply.downloads, record.length + self.agent.installer.space_needed(record))

    def _preflight_of_staging(self, record: Record, length: int) -> None:
        """Look again at what a build needs beside its download, now that its *length* in bytes is known."""
        self.supply.preflight(self.supply.downloads, self.agent.installer.space_needed(replace(record, length=length)))

    def _say_staging(self, record: Record) -> None:
        build = build_of(record)
        message = f"{record.version} is being staged from proven bytes."
        self.ledger.move(Staging(build), Reason.IN_PROGRESS, message, build)

    def _clean_up(self, record: Record, error: PawldError) -> None:
        if error.reason in _WORTHLESS:
            self._drop(record)
        if error.reason.cause in (Cause.NETWORK, Cause.HOST):
            # A long outage must not use up a build's attempts: it is not the build's fault.
            self.ledger.journal.forget_attempts(record.sha256)
        if isinstance(error, RejectedError):
            self._convict(record, error.reason, error.message)

    def _convict(self, record: Record, reason: Reason, message: str) -> None:
        self.ledger.convict(build_of(record), reason, message, self.agent.limits.block_for)

    def _drop(self, record: Record) -> None:
        """Remove what came; where that fails now, the next sweep does it."""
        with suppress(OSError):
            self._partial(record).unlink(missing_ok=True)

    def _partial(self, record: Record) -> Path:
        return self.supply.downloads / f"{record.sha256}.unverified"


def _streams(record: Record) -> bool:
    """Chunk digests let a build be unpacked while it comes; a zip has its directory at the end and cannot."""
    return record.chunks is not None and (record.format.startswith("tar.") or record.format == "file")
