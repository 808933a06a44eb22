"""Something beside the record that must also vouch for the bytes. What cannot be checked here counts as missing.

Each type is one file, and one line in ``wiring``.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from pawld.errors import RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason


class EvidenceChecker(Protocol):
    """Checks one type of evidence."""

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> None:
        """Raise ``RejectedError`` (evidence_missing, signature_invalid) unless *evidence* vouches for the file."""


def check_evidence(
    record: Record, downloaded: Downloaded, checkers: Mapping[str, EvidenceChecker], demanded: Sequence[str] = ()
) -> None:
    """Check everything that the record lists, after its types were held against the *demanded* ones.

    Raises:
        RejectedError: evidence_missing where a demanded type is not listed, or a listed one cannot be checked here.
    """
    listed = {one.type for one in record.evidence}
    for wanted in demanded:
        if wanted not in listed:
            raise missing(record, f"no evidence of type {wanted}, which this host demands")
    for evidence in record.evidence:
        checker = checkers.get(evidence.type)
        if checker is None:
            raise missing(record, f"evidence of type {evidence.type!r}, which this host cannot check")
        checker.check(record, evidence, downloaded)


def missing(record: Record, what: str) -> RejectedError:
    """Return the error for evidence that is not there, or not whole."""
    return RejectedError(Reason.EVIDENCE_MISSING, f"The record of {record.product} {record.version} carries {what}.")
