"""Something beside the record that must also vouch for the bytes. What cannot be checked here never passes.

Each type is one file, and one line in ``wiring``. A record lists evidence, and each piece must hold on every host, but
for those marked ``"optional": "yes"``: these count where a host demands their type. A signature inside of the build
(Authenticode, a package's) can be demanded of a record that does not list it.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from pawld.errors import OperatorError, PawldError, RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.values import dataclass

EMBEDDED = ("authenticode", "pkgutil")  # the build carries these itself


@dataclass(frozen=True, slots=True)
class Demand:
    """What a host demands beside what the record does.

    Attributes:
        of: types of evidence.
        need: so many different signers among them must vouch; None: one of each type.
    """

    of: tuple[str, ...] = ()
    need: int | None = None


NOTHING = Demand()


class EvidenceChecker(Protocol):
    """Checks one type of evidence."""

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:
        """Return who vouches for the file: a key, an identity, a certificate.

        Raises:
            RejectedError: evidence_missing, signature_invalid.
            OperatorError: evidence_not_checked where a program or a library for it is not here.
            TransientError: it lies at an address that could not be asked.
        """


def asked(record: Record, demand: Demand = NOTHING) -> tuple[Evidence, ...]:
    """Return what has to be looked at: what the record demands, and what it offers of the demanded types."""
    listed = tuple(one for one in record.evidence if not one.optional or one.type in demand.of)
    types = {one.type for one in listed}
    inside = (one for one in EMBEDDED if one in demand.of and one not in types)
    return (*listed, *(Evidence(one, {"optional": "yes"}) for one in inside))


def check_evidence(
    record: Record, downloaded: Downloaded, checkers: Mapping[str, EvidenceChecker], demand: Demand = NOTHING
) -> None:
    """Check all that the record demands, then whether enough of what this host demands vouched.

    Raises:
        RejectedError: evidence_missing where a demanded type is not listed, or a listed one is not known here; and
            what the checkers raise.
    """
    vouched: set[tuple[str, str]] = set()
    faults: list[PawldError] = []
    for evidence in asked(record, demand):
        try:
            vouched.add((evidence.type, _checked(record, evidence, downloaded, checkers)))
        except PawldError as error:
            if not evidence.optional:
                raise
            faults.append(error)
    for lacking in _lacking(demand, vouched):
        raise faults[0] if faults else missing(record, lacking)


def missing(record: Record, what: str) -> RejectedError:
    """Return the error for evidence that is not there, or not whole."""
    return RejectedError(Reason.EVIDENCE_MISSING, f"The record of {record.product} {record.version} carries {what}.")


def not_checked(kind: str, why: str) -> OperatorError:
    """Return the error for evidence that this host has no means to check; it is no fault of the build."""
    return OperatorError(Reason.EVIDENCE_NOT_CHECKED, f"Evidence of type {kind} cannot be checked on this host: {why}.")


class Unchecked:
    """Stands where the means for a *kind* of evidence are not there, and says so."""

    def __init__(self, kind: str, why: str) -> None:
        self._kind = kind
        self._why = why

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:  # noqa: ARG002 - the port's
        """Raise ``OperatorError`` (evidence_not_checked), always."""
        raise not_checked(self._kind, self._why)


def _checked(
    record: Record, evidence: Evidence, downloaded: Downloaded, checkers: Mapping[str, EvidenceChecker]
) -> str:
    checker = checkers.get(evidence.type)
    if checker is None:
        raise missing(record, f"evidence of type {evidence.type!r}, which this host cannot check")
    return checker.check(record, evidence, downloaded)


def _lacking(demand: Demand, vouched: set[tuple[str, str]]) -> Iterator[str]:
    """Yield a sentence's end for what this host demands and nobody gave."""
    found = {(kind, who) for kind, who in vouched if kind in demand.of}
    if demand.need is not None:
        if len(found) < demand.need:
            kinds = ", ".join(demand.of)
            yield f"evidence of {len(found)} signers that vouch, and this host demands {demand.need} of {kinds}"
        return
    for wanted in demand.of:
        if wanted not in {kind for kind, _ in found}:
            yield f"no evidence of type {wanted}, which this host demands"
