"""A detached signature that evidence carries: in the record itself, or at an address that the record names."""

from datetime import timedelta
from http import HTTPStatus

from pawld.errors import RejectedError, TransientError
from pawld.model import Evidence, Location, Record
from pawld.reasons import Reason
from pawld.system.http import Web, shown
from pawld.trust.evidence import missing

MAX_SIGNATURE = 16 * 1024  # bytes
DEADLINE = timedelta(minutes=1)


def attached(
    record: Record, evidence: Evidence, web: Web | None, *, fact: str = "signature", limit: int = MAX_SIGNATURE
) -> bytes:
    """Return what *fact* holds, or what lies at ``url``, of at most *limit* bytes.

    ``RejectedError``: evidence_missing where neither is there; signature_invalid where it is longer.
    """
    inline = evidence.facts.get(fact)
    if inline is not None:
        return inline.encode()
    url = evidence.facts.get("url")
    if url is None or web is None:
        raise missing(record, f"{evidence.type} evidence without a {fact}")
    return _fetched(record, evidence, url, web, limit)


def _fetched(record: Record, evidence: Evidence, url: str, web: Web, limit: int) -> bytes:
    with web.get(Location(url), deadline=DEADLINE) as answer:
        if answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise missing(record, f"{evidence.type} evidence whose signature {shown(url)} is not there")
        if answer.status != HTTPStatus.OK:
            raise TransientError(Reason.SERVER_ERROR, f"{shown(url)} answered {answer.status}.")
        data = bytearray()
        for block in answer.blocks():
            data += block
            if len(data) > limit:
                raise RejectedError(
                    Reason.SIGNATURE_INVALID, f"{shown(url)} is longer than the {limit} bytes of a signature."
                )
    return bytes(data)
