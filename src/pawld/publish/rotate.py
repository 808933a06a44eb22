"""A new key in, an old one out, for any role; clients that saw neither happen follow all the same.

Root N+1 is signed by the thresholds of N and of N+1. A top role that gets another key is signed anew with old and new
keys together, see ``publication`` for the order. A channel's key is named by targets, and the archive has the keys of
the channel that feeds it.
"""

from collections.abc import Sequence
from typing import Any

from tuf.api.metadata import Metadata

from pawld.errors import OperatorError
from pawld.publish.keys import NamedKey
from pawld.publish.publisher import Publisher
from pawld.publish.roles import ARCHIVE, ROOT, TARGETS, TOP_LEVEL
from pawld.reasons import Reason


def rotate(
    publisher: Publisher,
    role: str,
    out: Sequence[NamedKey],
    into: Sequence[NamedKey],
    threshold: int | None = None,
) -> None:
    """Stage the metadata in which *into* take the place of *out* among the keys of *role*.

    Raises:
        OperatorError: usage where a key is not the role's, or too few would be left for the threshold.
    """
    if role in TOP_LEVEL:
        root = _replaced(publisher, ROOT, (role,), out, into, threshold)
        if role == TARGETS:
            publisher.stage(TARGETS, publisher.edited(TARGETS), root)
        publisher.stage(ROOT, root, root)  # last, and whole: a cut before it leaves nothing that waits for keys
        return
    if role == ARCHIVE:
        raise OperatorError(Reason.USAGE, f"The archive has the keys of {publisher.plan.archived}; rotate that.")
    roles = (role, ARCHIVE) if publisher.plan.channel(role) == publisher.plan.archived else (role,)
    publisher.stage(TARGETS, _replaced(publisher, TARGETS, roles, out, into, threshold))
    for one in roles:
        publisher.stage(one, publisher.edited(one))


def _replaced(
    publisher: Publisher,
    delegator: str,
    roles: tuple[str, ...],
    out: Sequence[NamedKey],
    into: Sequence[NamedKey],
    threshold: int | None,
) -> Metadata[Any]:
    metadata = publisher.edited(delegator)
    for role in roles:
        _replace_in(metadata, role, out, into, threshold)
    return metadata


def _replace_in(
    metadata: Metadata[Any], role: str, out: Sequence[NamedKey], into: Sequence[NamedKey], threshold: int | None
) -> None:
    entry = metadata.signed.get_delegated_role(role)
    for named in into:
        metadata.signed.add_key(named.key, role)
    for named in out:
        if named.key.keyid not in entry.keyids:
            raise OperatorError(Reason.USAGE, f"{named.name} is no key of {role}.")
        metadata.signed.revoke_key(named.key.keyid, role)
    entry.threshold = entry.threshold if threshold is None else threshold
    if not 1 <= entry.threshold <= len(entry.keyids):
        raise OperatorError(
            Reason.USAGE, f"{role} would have {len(entry.keyids)} keys for a threshold of {entry.threshold}."
        )
