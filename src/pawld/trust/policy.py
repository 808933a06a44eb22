"""The policy over every engine, and the only maker of ``Verified``.

An engine says what was signed. Here it is bound to the question, held against the clock and the marks that never
fall, and then against the bytes themselves.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast

from pawld.errors import RejectedError, TransientError
from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import ListedFiles, tree_sha256
from pawld.model import NoBuild, Patch, Question, Record, Slot
from pawld.ports import Bring, ChunkProof, Clock, Downloaded, MarkStore, Verified, VerifiedPatch
from pawld.reasons import Reason
from pawld.system import faults
from pawld.trust import freshness, proving
from pawld.trust.binding import check_bound, check_same
from pawld.trust.engine import Engine, RoleMark, Statement
from pawld.trust.evidence import NOTHING, Demand, EvidenceChecker, asked, check_evidence
from pawld.trust.listing import Listing
from pawld.trust.marks import Marks

_NO_CHECKERS: Mapping[str, EvidenceChecker] = {}


class Policy:
    """Implements ``ports.Trust``.

    Args:
        engines: one; or several, which must all state the same bytes.
        marks: the updater's own durable store.
        agent: whose marks.
        installed: what runs on this host, for a signed permission to go back.
        evidence: a checker for each type of evidence that this host can check.
        demand: evidence that must be there, whatever the record says.
        max_length: the largest build that is taken, in bytes, whatever its record says.
        max_age: how long one statement holds after this host first saw it; None leaves it to its expiry.
    """

    def __init__(
        self,
        engines: Sequence[Engine],
        marks: MarkStore,
        clock: Clock,
        agent: str,
        *,
        installed: Callable[[], Slot | None] = lambda: None,
        evidence: Mapping[str, EvidenceChecker] = _NO_CHECKERS,
        demand: Demand = NOTHING,
        max_length: int | None = None,
        max_age: timedelta | None = None,
    ) -> None:
        if not engines:
            raise ValueError("a policy needs at least one engine")
        self._engines = tuple(engines)
        self._store = marks
        self._marks = Marks(marks, agent)
        self._clock = clock
        self._agent = agent
        self._installed = installed
        self._evidence = evidence
        self._demand = demand
        self._max_length = max_length
        self._max_age = max_age

    def record(self, question: Question) -> Record | NoBuild:
        """Return the signed record, bound to *question*, fresh, and not below any mark.

        Raises:
            RejectedError: it is not proven, or not what was asked for, or not fresh, or older than one seen before.
            TransientError: it could not be fetched, or is too old for ``max_age``; a pin that nothing satisfies.
        """
        freshness.check_clock(self._store, self._agent, self._clock.now())
        accepted = [self._accepted(number, engine, question) for number, engine in enumerate(self._engines)]
        for record in accepted[1:]:
            check_same(accepted[0], record)
        whole = (one for one in accepted if isinstance(one, Record) and one.length_signed)
        return next(whole, accepted[0])

    def prove(self, record: Record, downloaded: Downloaded) -> Verified:
        """Check length, digest and evidence of the whole file, from its open descriptor.

        Raises:
            RejectedError: length_mismatch, digest_mismatch, evidence_missing, signature_invalid.
        """
        return _ProvenFile(record, downloaded, lambda: self._check_evidence(record, downloaded))

    def prove_chunks(
        self,
        record: Record,
        chunks: Callable[[ChunkProof], Iterator[memoryview]],
        path: Path,
        listing: Bring | None = None,
    ) -> Verified:
        """Wrap chunks that are each checked before they are handed on; the whole is checked by ``confirm``.

        *listing* brings the list of the build's files, which is held against the record before it is read.

        Raises:
            RejectedError: record_invalid where the record lists no chunks.
        """
        if record.chunks is None:
            raise RejectedError(Reason.RECORD_INVALID, f"The record of {record.filename} lists no chunks to check.")
        proof = proving.chunk_proof(record.chunks, record.length)
        return _ProvenChunks(record, lambda: chunks(proof), path, self._check_evidence, Listing(record, listing))

    def prove_patch(self, record: Record, patch: Patch, downloaded: Downloaded) -> VerifiedPatch:
        """Check length and digest of a patch that *record* names, before a byte of it is read for its meaning.

        Raises:
            RejectedError: length_mismatch, digest_mismatch; record_mismatch for a patch that the record does not name,
                or whose result could not be proven; evidence_missing where evidence speaks of the whole build alone.
        """
        if patch not in record.patches or (record.format != "file" and record.tree_sha256 is None):
            raise RejectedError(
                Reason.RECORD_MISMATCH, f"The record of {record.filename} does not say what this patch has to make."
            )
        if asked(record, self._demand) or self._demand.of or not record.length_signed:
            raise RejectedError(
                Reason.EVIDENCE_MISSING, f"What vouches for {record.filename} can be checked on the whole build alone."
            )
        return _ProvenPatch(record, patch, downloaded)

    def _check_evidence(self, record: Record, downloaded: Downloaded) -> None:
        check_evidence(record, downloaded, self._evidence, self._demand)

    def _accepted(self, number: int, engine: Engine, question: Question) -> Record | NoBuild:
        statement = engine.state(question)
        roles = _named_apart(number, statement.roles)
        # Roles first: a repository turned back is told as such, whatever else it then says.
        self._marks.check_roles(roles)
        if isinstance(statement.record, Record):
            self._check(question, statement, statement.record, number)
        self._marks.raise_roles(roles)
        if isinstance(statement.record, Record):
            self._note(statement, statement.record, number)
            return self._limited(statement.record)
        return statement.record

    def _check(self, question: Question, statement: Statement, record: Record, number: int) -> None:
        now = self._clock.now()
        check_bound(record, replace(question, channel=record.channel) if statement.archived else question)
        freshness.check_fresh(record, now)
        self._marks.check_sequence(_apart(number, statement.path), record, self._installed())
        if self._max_age is not None:
            freshness.check_age(self._store, self._agent, record, now, self._max_age)

    def _limited(self, record: Record) -> Record:
        if self._max_length is None or record.length <= self._max_length:
            return record
        if not record.length_signed:
            return replace(record, length=self._max_length)
        raise RejectedError(
            Reason.RECORD_INVALID,
            f"The signed record of {record.filename} states {record.length} bytes, and updater.max_build allows "
            f"{self._max_length}.",
        )

    def _note(self, statement: Statement, record: Record, number: int) -> None:
        self._marks.raise_sequence(_apart(number, statement.path), record)
        freshness.raise_floor(self._store, self._agent, record, self._clock.now())


def _apart(number: int, name: str) -> str:
    """The marks of a second engine must not meet those of the first."""
    return name if number == 0 else f"{number + 1}.{name}"


def _named_apart(number: int, roles: Sequence[RoleMark]) -> tuple[RoleMark, ...]:
    return tuple(
        RoleMark(
            _apart(number, one.name), one.version, one.keys, _apart(number, one.authority) if one.authority else ""
        )
        for one in roles
    )


class _ProvenFile(Verified):
    """A file that was proven whole; its descriptor has been open since before."""

    def __init__(self, record: Record, downloaded: Downloaded, evidence: Callable[[], None]) -> None:
        self.record = record
        self._downloaded = downloaded
        self._prove()
        evidence()
        downloaded.file.seek(0)

    def seekable(self) -> BinaryIO:
        self._downloaded.file.seek(0)
        return self._downloaded.file

    def stream(self) -> AbstractContextManager[BinaryIO]:
        return _lent(self.seekable())

    def confirm(self) -> None:
        """Prove it anew where the file was touched since."""
        if self._seen() != self._proven:
            self._prove()

    def let_go(self) -> None:
        """Empty the file, which is held open and was the caller's to remove."""
        with suppress(OSError, ValueError):  # it may be closed, or not ours to write to
            self._downloaded.file.truncate(0)

    def _prove(self) -> None:
        with faults.host_faults(f"Reading {self._downloaded.path.name}"):
            self._proven = self._seen()
            proving.prove_file(self.record, self._downloaded.file, self._downloaded.origin)

    def _seen(self) -> tuple[int, int]:
        found = os.fstat(self._downloaded.file.fileno())
        return found.st_size, found.st_mtime_ns


class _ProvenChunks(Verified):
    """Chunks that are proven one by one as they come, and the whole at the end."""

    def __init__(
        self,
        record: Record,
        chunks: Callable[[], Iterator[memoryview]],
        path: Path,
        evidence: Callable[[Record, Downloaded], None],
        listing: Listing,
    ) -> None:
        self.record = record
        self._chunks = chunks
        self._path = path
        self._evidence = evidence
        self._listing = listing
        self._proven = False

    def seekable(self) -> BinaryIO:
        """Take what is missing, then prove the file from a descriptor of its own."""
        if not self._proven:
            with self.stream():
                pass
        self.confirm()
        with faults.host_faults(f"Opening {self._path.name}"):
            file = self._path.open("rb")
            try:
                proving.prove_file(self.record, file, self._path.name)
            except BaseException:
                file.close()
                raise
        return file

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        self._proven = False
        with closing(self._listing), proving.ProvenStream(self._chunks) as raw:
            yield cast("BinaryIO", raw)  # a reader asks for blocks; a buffer between would be one more copy
            raw.drain()
            proving.check_length(self.record, raw.length, self._path.name)
            proving.check_digest(self.record, raw.hexdigest(), self._path.name)
            self._proven = True

    def confirm(self) -> None:
        """Refuse unless the stream was taken to its end and was the build; then look at the evidence."""
        if not self._proven:
            raise TransientError(
                Reason.TRANSFER_CUT, f"{self.record.filename} has not been read to its end, so it is not proven."
            )
        with faults.host_faults(f"Opening {self._path.name}"), self._path.open("rb") as file:
            self._evidence(self.record, Downloaded(file, self._path, self._path.name))

    def listed(self) -> ListedFiles | None:
        return self._listing.files()

    def let_go(self) -> None:
        """Empty the file: a name is the mover's to remove."""
        with suppress(OSError):
            os.truncate(self._path, 0)


class _ProvenPatch(VerifiedPatch):
    """A patch that was proven whole; its descriptor has been open since before."""

    def __init__(self, record: Record, patch: Patch, downloaded: Downloaded) -> None:
        self.record = record
        self.patch = patch
        self._file = downloaded.file
        with faults.host_faults(f"Reading {downloaded.path.name}"):
            proving.prove_file(record.moved_as(patch), downloaded.file, downloaded.origin)

    def seekable(self) -> BinaryIO:
        self._file.seek(0)
        return self._file

    def confirm(self, files: Sequence[FileEntry], directories: Sequence[str]) -> None:
        """Hold what was written against the signed digest: of the one program, or of the whole tree."""
        if self.record.format == "file":
            found = files[0].sha256 if len(files) == 1 else f"of {len(files)} files"
            proving.check_digest(self.record, found, "a patch")
        elif tree_sha256(files, directories) != self.record.tree_sha256:
            raise RejectedError(
                Reason.DIGEST_MISMATCH,
                f"The patch did not make the files that the record of {self.record.filename} states.",
            )


@contextmanager
def _lent(file: BinaryIO) -> Iterator[BinaryIO]:
    """Lend the descriptor; it stays open."""
    yield file
