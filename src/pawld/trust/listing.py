"""The list of the files that a build unpacks to: sent for while the build comes, and proven before it is read.

It spares this host the digests of what it writes, and nothing else leans on it. Whatever is proven of the build itself
is proven as ever, and files for which no list has come yet are hashed. So bytes that are not the list are no fault of
the build, whoever sent them; a list that is proven and yet no list is, for its publisher signed it.
"""

import hashlib

from pawld.errors import RejectedError
from pawld.formats.tree import ListedFiles
from pawld.model import Record
from pawld.ports import Bring, Ended
from pawld.reasons import Reason


class Listing:
    """The list of one build's files. ``close`` has to be called.

    Args:
        bring: sends for it; None where nobody knows a place for it.
    """

    def __init__(self, record: Record, bring: Bring | None) -> None:
        self._record = record
        self._bring = bring if record.tree_sha256 is not None else None
        self._end: Ended | None = None
        self._files: ListedFiles | None = None
        self._fault: RejectedError | None = None

    def files(self) -> ListedFiles | None:
        """Return the list where it is here by now; the first call sends for it.

        ``RejectedError`` (record_invalid) where what the record states the digest of is no list.
        """
        if self._end is None and self._bring is not None:
            self._end = self._bring(self._take)
        if self._fault is not None:
            raise self._fault
        return self._files

    def close(self) -> None:
        """Wait for it no longer, and forget it: whoever reads the build anew sends for it anew."""
        if self._end is not None:
            self._end()
        self._end = self._files = None

    def _take(self, data: bytes) -> None:
        """Prove and read what came, in the thread that brought it; ``RejectedError`` where it is something else."""
        found = hashlib.sha256(data).hexdigest()
        if found != self._record.tree_sha256:
            raise RejectedError(
                Reason.DIGEST_MISMATCH,
                f"What came as the list of the files of {self._record.filename} has sha256 {found} where the record "
                f"demands {self._record.tree_sha256}.",
            )
        try:
            self._files = ListedFiles(data)
        except ValueError as error:
            self._fault = RejectedError(
                Reason.RECORD_INVALID, f"The signed list of the files of {self._record.filename} is none: {error}."
            )
