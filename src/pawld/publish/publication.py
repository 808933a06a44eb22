"""Make what is staged public, in an order in which no cut leaves a repository that clients refuse.

1. Everything that the next snapshot names, under new versioned names that nothing leads to yet.
2. The snapshot, then ``timestamp.json``: its rename is the moment of publication.
3. A new root last, when the old root accepts all of it too (the new metadata is signed with old and new keys).
   Where an old online key is lost it cannot, and the root goes first; a cut then leaves clients waiting until the
   command is run again.

Each step is durable before the next, and all of it can be repeated.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

from pawld.errors import OperatorError
from pawld.publish.edition import Edition, Missing, delegated, missing, ready, verifies
from pawld.publish.publisher import Publisher
from pawld.publish.roles import ONLINE, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """What became public, by role and version, and what still waits for signatures.

    Attributes:
        large: the roles whose document is longer than a host reads by default, with their bytes.
    """

    versions: dict[str, int]
    waiting: tuple[Missing, ...]
    large: Mapping[str, int] = field(default_factory=dict)


def publish(publisher: Publisher) -> Published:
    """Publish every staged role that is ready; with nothing ready nothing is written.

    Raises:
        OperatorError: secret_missing where the snapshot or timestamp key is not at hand.
    """
    edition = ready(publisher)
    if edition is None or (not edition.new and _whole(publisher, edition)):
        return Published({}, missing(publisher))
    versions = _write(publisher, edition)
    return Published(versions, missing(publisher), publisher.repository.large(versions))


def renew(publisher: Publisher) -> Published:
    """Sign timestamp and snapshot anew, with whatever staged role is ready."""
    edition = ready(publisher)
    if edition is None:
        raise OperatorError(
            Reason.CONFIG_INVALID, "The published metadata does not verify from its root; look at `release status`."
        )
    versions = _write(publisher, edition)
    return Published(versions, missing(publisher), publisher.repository.large(versions))


def _whole(publisher: Publisher, edition: Edition) -> bool:
    """Whether the root in force accepts what is online; a rotation that was cut may have left it otherwise."""
    online = {role: publisher.repository.read(role) for role in ONLINE}
    return all(one is not None and verifies(edition.root.signed, role, one) for role, one in online.items())


def _write(publisher: Publisher, edition: Edition) -> dict[str, int]:
    online = _online(publisher, edition)
    root_last = ROOT in edition.new and _old_root_accepts(publisher, edition, online)
    files = {role: metadata for role, metadata in edition.new.items() if role != ROOT} | online
    if ROOT in edition.new:
        root = {ROOT: edition.root}
        files = files | root if root_last else root | files
    for role, metadata in files.items():
        publisher.repository.write(role, metadata)
    for role in edition.new:
        publisher.staging.drop(role)
    return {role: metadata.signed.version for role, metadata in files.items()}


def _online(publisher: Publisher, edition: Edition) -> dict[str, Metadata[Any]]:
    """Return a signed snapshot (where it has to change) and a signed timestamp."""
    snapshot = _snapshot(publisher, edition)
    old = publisher.repository.snapshot()
    kept = old is not None and _still_good(publisher, edition, old) and snapshot.signed.meta == old.signed.meta
    if kept and old is not None:
        data, version = publisher.repository.bytes_of(SNAPSHOT, old.signed.version), old.signed.version
    else:
        data, version = snapshot.to_bytes(), snapshot.signed.version
    timestamp = Metadata(
        Timestamp(
            version=publisher.repository.version(TIMESTAMP) + 1,
            expires=_expiry(publisher, TIMESTAMP),
            snapshot_meta=MetaFile.from_data(version, data, ["sha256"]),
        )
    )
    _sign_online(publisher, edition, TIMESTAMP, timestamp)
    return {TIMESTAMP: timestamp} if kept else {SNAPSHOT: snapshot, TIMESTAMP: timestamp}


def _snapshot(publisher: Publisher, edition: Edition) -> Metadata[Snapshot]:
    meta = {f"{role}.json": _meta(publisher, edition, role) for role in (TARGETS, *delegated(edition.targets.signed))}
    version = publisher.repository.version(SNAPSHOT) + 1
    snapshot = Metadata(Snapshot(version=version, expires=_expiry(publisher, SNAPSHOT), meta=meta))
    _sign_online(publisher, edition, SNAPSHOT, snapshot)
    return snapshot


def _meta(publisher: Publisher, edition: Edition, role: str) -> MetaFile:
    if role in edition.new:
        metadata = edition.new[role]
        return MetaFile.from_data(metadata.signed.version, metadata.to_bytes(), ["sha256"])
    version = publisher.repository.version(role)
    return MetaFile.from_data(version, publisher.repository.bytes_of(role, version), ["sha256"])


def _still_good(publisher: Publisher, edition: Edition, snapshot: Metadata[Snapshot]) -> bool:
    """Whether the published snapshot may stay: less than half-used, and signed by the keys in force."""
    term = publisher.plan.term(SNAPSHOT)
    signed_at = snapshot.signed.expires - term.lifetime
    young = publisher.clock.now() - signed_at < term.renew_after
    return young and ROOT not in edition.new and verifies(edition.root.signed, SNAPSHOT, snapshot)


def _sign_online(publisher: Publisher, edition: Edition, role: str, metadata: Metadata[Any]) -> None:
    publisher.sign(role, metadata)
    if not verifies(edition.root.signed, role, metadata):
        raise OperatorError(
            Reason.SECRET_MISSING,
            f"The {role} key is not in {publisher.layout.keys}; publishing needs the snapshot and timestamp keys.",
        )


def _expiry(publisher: Publisher, role: str) -> datetime:
    return (publisher.clock.now() + publisher.plan.term(role).lifetime).replace(microsecond=0)


def _old_root_accepts(publisher: Publisher, edition: Edition, online: dict[str, Metadata[Any]]) -> bool:
    old = publisher.repository.root()
    if old is None or any(role not in online for role in ONLINE):
        return False
    signed = {**online, TARGETS: edition.targets}
    return all(verifies(old.signed, role, metadata) for role, metadata in signed.items())
