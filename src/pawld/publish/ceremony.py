"""Signing far from the repository: a staged file is carried to a key, signed there, and carried back.

Whoever signs sees what the file says; the digest of its signed part lets two people check over the telephone that they
have the same one.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from securesystemslib.signer import Signer
from tuf.api.metadata import Root, Targets

from pawld.formats.vendor_keys import TARGET, VendorKeys, read_vendor_keys
from pawld.model import Record
from pawld.publish import keys, records
from pawld.publish.edition import missing
from pawld.publish.keys import Unlock
from pawld.publish.publisher import Publisher, sign_with
from pawld.publish.repository import load
from pawld.system.files import write_durably
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """What a staged file says.

    Attributes:
        digest: SHA-256 of the signed part, which no added signature changes.
        vendor_keys: the targets that name a vendor's keys.
        quorums: the roles that it gives keys to: the threshold, and the ids of the keys.
        signatures: the ids of the keys that have signed.
    """

    kind: str
    version: int
    expires: datetime
    digest: str
    records: Mapping[str, Record]
    vendor_keys: Mapping[str, VendorKeys]
    quorums: Mapping[str, tuple[int, tuple[str, ...]]]
    signatures: tuple[str, ...]


def statement(path: Path) -> Statement:
    """Read what a staged file says; ``OperatorError`` where it is none."""
    metadata = load(path)
    signed = metadata.signed
    targets = signed.targets if isinstance(signed, Targets) else {}
    named = {path: one.custom for path, one in targets.items() if path.startswith(TARGET.partition("{")[0])}
    return Statement(
        kind=signed.type,
        version=signed.version,
        expires=signed.expires,
        digest=hashlib.sha256(metadata.signed_bytes).hexdigest(),
        records={path: records.read(one) for path, one in targets.items() if path not in named},
        vendor_keys={path: read_vendor_keys(custom, path) for path, custom in named.items()},
        quorums=_quorums(signed),
        signatures=tuple(metadata.signatures),
    )


def signer_for(key: Path, unlock: Unlock) -> Signer:
    """Open ``NAME.pem``, or what the URI in ``NAME.pub.json`` leads to."""
    if not key.name.endswith(".pub.json"):
        return keys.load_file(key, unlock(key.stem))
    named = keys.read_public(key)
    if named.uri is None:
        return keys.load_file(key.with_name(f"{named.name}.pem"), unlock(named.name))
    return keys.load_uri(named, unlock)


def sign_file(path: Path, signer: Signer) -> str:
    """Add one signature to a carried file, in place, and return the id of the key that signed."""
    metadata = load(path)
    keyid = sign_with(metadata, signer, f"for {path.name}")
    write_durably(path, metadata.to_bytes())
    return keyid


def carry(publisher: Publisher, to: Path) -> list[Path]:
    """Copy the staged files that miss signatures to *to*, and return the copies."""
    copies = []
    for role in sorted({need.role for need in missing(publisher)}):
        copy = to / f"{role}.json"
        write_durably(copy, publisher.staging.path(role).read_bytes(), mode=0o644)
        copies.append(copy)
    return copies


def _quorums(signed: Root | Targets) -> dict[str, tuple[int, tuple[str, ...]]]:
    if isinstance(signed, Root):
        return {role: (one.threshold, tuple(one.keyids)) for role, one in signed.roles.items()}
    delegated = (signed.delegations.roles or {}) if signed.delegations else {}
    return {role: (one.threshold, tuple(one.keyids)) for role, one in delegated.items()}
