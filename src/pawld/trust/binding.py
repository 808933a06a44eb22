"""Is this record about what was asked? Signed is not enough: another product's record is signed as well."""

from pawld.errors import RejectedError, TransientError
from pawld.lifecycle import versions
from pawld.model import NoBuild, Question, Record
from pawld.reasons import Reason


def check_bound(record: Record, question: Question) -> None:
    """Hold product, channel, platform and version against the question.

    Raises:
        RejectedError: record_mismatch; source_disagrees where only the version is another than a source's.
        TransientError: pin_unsatisfied where only the version is another than a pin's.
    """
    for what, found, asked in (
        ("product", record.product, question.product),
        ("channel", record.channel, question.channel),
        ("platform", record.platform.name, question.platform.name),
    ):
        if found != asked:
            raise RejectedError(
                Reason.RECORD_MISMATCH,
                f"The signed record is for the {what} {found}, but this host asked for {asked}.",
            )
    if question.version is not None and not versions.same(record.version, question.version):
        raise _other_version(record, question)


def check_same(first: Record | NoBuild, second: Record | NoBuild) -> None:
    """Raise ``RejectedError`` (record_mismatch) unless two engines state the same bytes, or both state none."""
    if isinstance(first, NoBuild) and isinstance(second, NoBuild):
        return
    if isinstance(first, Record) and isinstance(second, Record) and _same_bytes(first, second):
        return
    raise RejectedError(
        Reason.RECORD_MISMATCH, f"Two trust engines disagree: one states {_story(first)}, another {_story(second)}."
    )


def _same_bytes(first: Record, second: Record) -> bool:
    lengths = {one.length for one in (first, second) if one.length_signed}
    return first.sha256 == second.sha256 and len(lengths) <= 1


def _other_version(record: Record, question: Question) -> RejectedError | TransientError:
    if question.pinned:
        return TransientError(
            Reason.PIN_UNSATISFIED,
            f"The pin orders {question.product} {question.version}, but only {record.version} is signed.",
        )
    return RejectedError(
        Reason.SOURCE_DISAGREES,
        f"The source offers {question.product} {question.version}, but the signed record names {record.version}.",
    )


def _story(answer: Record | NoBuild) -> str:
    if isinstance(answer, NoBuild):
        return "no build"
    return f"{answer.version} ({answer.length} bytes, sha256 {answer.sha256})"
