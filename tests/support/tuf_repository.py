"""A TUF repository in memory, written with python-tuf's own document model, for tests to bend and break."""

import copy
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Signed,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

T = TypeVar("T", bound=Signed)
TOP = ("timestamp", "snapshot", "targets")


def unpublished(signed: T) -> T:
    """Begin at version 0, which the constructor refuses and ``publish`` raises."""
    signed.version = 0
    return signed


def soon(days: float = 30) -> datetime:
    return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


class TufRepository:
    """A repository whose every document is a plain object until ``publish``.

    Attributes:
        files: what a web server would serve: metadata by name, and targets under ``targets/``.
        signers: the keys of each role.
        hashes: the algorithms of the hashes with which documents are listed; None for no hashes.
    """

    def __init__(self, *, consistent_snapshot: bool = True, root_keys: int = 1, root_threshold: int = 1) -> None:
        self.files: dict[str, bytes] = {}
        self.signers: dict[str, list[CryptoSigner]] = {"root": [new_key() for _ in range(root_keys)]}
        self.root = Root(expires=soon(365), consistent_snapshot=consistent_snapshot)
        for signer in self.signers["root"]:
            self.root.add_key(signer.public_key, "root")
        self.root.roles["root"].threshold = root_threshold
        for role in TOP:
            self.signers[role] = [new_key()]
            self.root.add_key(self.signers[role][0].public_key, role)
        self.timestamp = unpublished(Timestamp(expires=soon(3)))
        self.snapshot = unpublished(Snapshot(expires=soon(7)))
        self.hashes: list[str] | None = None
        self.targets = unpublished(Targets(expires=soon(180)))
        self.delegated: dict[str, Targets] = {}
        self.first_root = self.publish_root(bump=False)

    def delegate(
        self, name: str, paths: Iterable[str], *, parent: str = "targets", terminating: bool = True
    ) -> Targets:
        """Delegate *paths* to a role; it is made, with a new key, where nobody delegated to it yet."""
        owner = self.targets if parent == "targets" else self.delegated[parent]
        if owner.delegations is None:
            owner.delegations = Delegations({}, {})
        assert owner.delegations.roles is not None
        owner.delegations.roles[name] = DelegatedRole(name, [], 1, terminating, paths=list(paths))
        if name not in self.delegated:
            self.signers[name] = [new_key()]
            self.delegated[name] = unpublished(Targets(expires=soon(90)))
        owner.add_key(self.signers[name][0].public_key, name)
        return self.delegated[name]

    def add(self, path: str, data: bytes, custom: dict[str, Any] | None = None, role: str = "targets") -> TargetFile:
        """Put a target into *role*."""
        target = TargetFile.from_data(path, data, ["sha256"])
        if custom is not None:
            target.unrecognized_fields["custom"] = custom
        owner = self.targets if role == "targets" else self.delegated[role]
        owner.targets[path] = target
        folder, _, name = path.rpartition("/")
        prefix = f"{target.hashes['sha256']}." if self.root.consistent_snapshot else ""
        self.files[f"targets/{folder}{'/' if folder else ''}{prefix}{name}"] = data
        return target

    def publish(self) -> None:
        """Raise every version below the root's, and sign and write them all."""
        for name, signed in {"targets": self.targets, **self.delegated}.items():
            signed.version += 1
            data = self.write(name, signed)
            self.snapshot.meta[f"{name}.json"] = self._listed(signed.version, data)
        self.publish_snapshot()

    def publish_snapshot(self) -> None:
        """Raise and write snapshot and timestamp alone."""
        self.snapshot.version += 1
        self.timestamp.snapshot_meta = self._listed(self.snapshot.version, self.write("snapshot", self.snapshot))
        self.publish_timestamp()

    def publish_timestamp(self) -> None:
        self.timestamp.version += 1
        self.write("timestamp", self.timestamp)

    def publish_root(self, *, also: Iterable[CryptoSigner] = (), bump: bool = True) -> bytes:
        """Write the next root, signed by the root's keys and *also* those of the one before."""
        self.root.version += 1 if bump else 0
        data = self.signed(self.root, [*self.signers["root"], *also])
        self.files[f"{self.root.version}.root.json"] = data
        return data

    def rotate(self, role: str, *, keep: int = 0) -> list[CryptoSigner]:
        """Replace a top-level role's keys but *keep* of them, in a new root; return the old ones."""
        old = self.signers[role]
        for signer in old[keep:]:
            self.root.revoke_key(signer.public_key.keyid, role)
        self.signers[role] = [*old[:keep], *(new_key() for _ in old[keep:])]
        for signer in self.signers[role][keep:]:
            self.root.add_key(signer.public_key, role)
        self.publish_root(also=old if role == "root" else ())
        return old

    def rotate_delegated(self, name: str) -> None:
        """Replace a delegated role's key in the top-level targets."""
        self.targets.revoke_key(self.signers[name][0].public_key.keyid, name)
        self.signers[name] = [new_key()]
        self.targets.add_key(self.signers[name][0].public_key, name)

    def write(self, name: str, signed: Signed, signers: list[CryptoSigner] | None = None) -> bytes:
        """Sign and write one document under the name that its role has."""
        data = self.signed(signed, signers if signers is not None else self.signers[name])
        versioned = self.root.consistent_snapshot and name != "timestamp"
        self.files[f"{signed.version}.{name}.json" if versioned else f"{name}.json"] = data
        return data

    def _listed(self, version: int, data: bytes) -> MetaFile:
        return MetaFile.from_data(version, data, self.hashes) if self.hashes else MetaFile(version)

    def signed(self, signed: Signed, signers: Iterable[CryptoSigner]) -> bytes:
        document = Metadata(copy.deepcopy(signed))
        for signer in signers:
            document.sign(signer, append=True)
        return document.to_bytes()

    def frozen(self) -> dict[str, bytes]:
        """Return what is served now, for a mirror that stands still."""
        return dict(self.files)


def acme_repository(build: bytes = b"build", hashes: list[str] | None = None) -> TufRepository:
    """Return a repository whose stable channel has a role of its own, published once."""
    made = TufRepository()
    made.hashes = hashes
    made.delegate("stable", ["acme/stable/*"])
    made.add("acme/stable/linux-x86_64", build, custom(), "stable")
    made.publish()
    return made


def new_key() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def custom(version: str = "1.0.0", sequence: int = 1, **changes: Any) -> dict[str, Any]:
    """The custom field of a plain record of the product acme."""
    plain = {
        "schema": 1,
        "product": "acme",
        "channel": "stable",
        "platform": "linux",
        "arch": "x86_64",
        "version": version,
        "release_seq": sequence,
        "filename": f"acme-{version}-linux-x86_64.tar.gz",
    }
    return json.loads(json.dumps(plain | changes))
