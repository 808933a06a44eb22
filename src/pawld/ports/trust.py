"""What the bytes must be: the signed record, and the proofs that bytes are what it states."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import ListedFiles
from pawld.model import NoBuild, Patch, Question, Record
from pawld.values import dataclass


@dataclass(slots=True)
class Downloaded:
    """Bytes from somewhere, held open. Nothing is proven of them.

    Attributes:
        file: open for reading and writing; verification and unpacking use this very descriptor.
        path: its name, which ends in ``.unverified``.
        origin: scheme and host that the bytes came from, for messages.
    """

    file: BinaryIO
    path: Path
    origin: str


class Verified(ABC):
    """Bytes that are proven to be the build that *record* states. Only ``trust.policy`` makes one.

    The class is abstract so that nobody else can; ``Installer.stage`` takes nothing else, and mypy holds both.
    """

    record: Record

    @abstractmethod
    def seekable(self) -> BinaryIO:
        """Return the whole proven file at its start, for a format that has to seek."""

    @abstractmethod
    def stream(self) -> AbstractContextManager[BinaryIO]:
        """Open the proven bytes in order; no unproven byte ever comes out of it."""

    @abstractmethod
    def confirm(self) -> None:
        """Prove length and digest of the whole; a slot gets its name only after this returned."""

    def listed(self) -> ListedFiles | None:
        """Return the proven list of the files that it unpacks to; None where there is none, or it is not here yet.

        The first call sends for it. ``RejectedError`` (record_invalid) where the publisher signed something else.
        """
        return None

    def let_go(self) -> None:  # noqa: B027 - there may be nothing to let go of
        """Free what is kept on the disk: the slot stands, and only has to be synced, without these bytes then."""


class VerifiedPatch(ABC):
    """A patch that is proven to be one that *record* names. Only ``trust.policy`` makes one.

    It proves nothing yet of what comes out of it: a slot gets its name only after ``confirm`` returned.
    """

    record: Record
    patch: Patch

    @abstractmethod
    def seekable(self) -> BinaryIO:
        """Return the whole proven patch at its start."""

    @abstractmethod
    def confirm(self, files: Sequence[FileEntry], directories: Sequence[str]) -> None:
        """Prove that these files, with the digests of what was written, are the very build that *record* states."""


ChunkProof = Callable[[int, memoryview], bool]
"""Says whether this is the chunk of that number."""


Ended = Callable[[], None]
"""Ends what was begun, without waiting for it."""


Listed = Callable[[], ListedFiles | None]
"""Returns the proven list of a build's files, as ``Verified.listed`` does."""


Bring = Callable[[Callable[[bytes], None]], Ended]
"""Begins to bring a small file, and hands it over in a thread of its own when it is there."""


class Trust(Protocol):
    """Decides what the bytes must be, and whether they are."""

    def record(self, question: Question) -> Record | NoBuild:
        """Return the signed record, fresh and not below any mark."""

    def prove(self, record: Record, downloaded: Downloaded) -> Verified:
        """Check length, digest and evidence of the whole file, from its open descriptor."""

    def prove_chunks(
        self,
        record: Record,
        chunks: Callable[[ChunkProof], Iterator[memoryview]],
        path: Path,
        listing: Bring | None = None,
    ) -> Verified:
        """Wrap chunks that are each checked before they are handed on; the whole is checked by ``confirm``.

        *listing* brings the list of the build's files, where there may be one.
        """

    def prove_patch(self, record: Record, patch: Patch, downloaded: Downloaded) -> VerifiedPatch:
        """Check length and digest of a patch that *record* names, before a byte of it is read for its meaning."""


class MarkStore(Protocol):
    """High-water marks that survive everything but the loss of the disk."""

    def mark(self, agent: str, name: str) -> int | None:
        """Return the highest value that was ever raised to."""

    def raise_to(self, agent: str, name: str, value: int) -> None:
        """Raise the mark, durably; a lower value changes nothing."""

    def forget(self, agent: str, name: str) -> None:
        """Drop a mark; only for metadata roles whose keys a newer root replaced."""
