"""Take a version back, and raise the floor: hosts hear of both through every channel and through the archive."""

from dataclasses import replace

from pawld.errors import OperatorError
from pawld.lifecycle.versions import older
from pawld.model import Record
from pawld.publish.builds import Ledger
from pawld.publish.publisher import Publisher
from pawld.publish.records import everywhere, sha512_of, state
from pawld.reasons import Reason


def withdraw(publisher: Publisher, product: str, version: str) -> list[Record]:
    """Say on every channel that *version* must not be installed any more; return the records that changed.

    Raises:
        OperatorError: usage where no such version was ever ingested or published.
    """
    records = list(everywhere(publisher, product))
    known = any(Ledger(publisher.layout.builds).of_version(product, version))
    if not known and version not in {record.version for record in records}:
        raise OperatorError(Reason.USAGE, f"{product} {version} was never published from here.")
    return _stated(
        publisher, records, [replace(one, withdrawn=tuple(sorted({*one.withdrawn, version}))) for one in records]
    )


def raise_floor(publisher: Publisher, product: str, floor: str) -> list[Record]:
    """Say on every channel that versions below *floor* are not safe; return the records that changed.

    A channel whose own release lies below it keeps its old floor: first promote something safe there.
    """
    records = list(everywhere(publisher, product))
    return _stated(publisher, records, [_raised(one, floor) for one in records])


def _raised(record: Record, floor: str) -> Record:
    falls = record.security_floor is not None and older(floor, record.security_floor)
    if falls or older(record.version, floor) is not False:
        return record
    return replace(record, security_floor=floor)


def _stated(publisher: Publisher, before: list[Record], after: list[Record]) -> list[Record]:
    changed = [new for old, new in zip(before, after, strict=True) if new != old]
    if changed:
        state(publisher, [(one, sha512_of(publisher, one)) for one in changed])
    return changed
