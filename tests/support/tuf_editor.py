"""A TUF repository kept by python-tuf's own ``tuf.repository.Repository``: nothing of ours wrote or signed it."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.repository import Repository

_LASTS = {"root": 365, "targets": 90, "snapshot": 7, "timestamp": 1}  # days
_KINDS = {"root": Root, "targets": Targets, "snapshot": Snapshot, "timestamp": Timestamp}


class TufEditor(Repository):
    """Keeps every version in memory; ``files`` is what a static host serves.

    Attributes:
        root_bytes: the first root, which hosts are given.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._now: dict[str, Metadata[Any]] = {}
        self._keys = {role: CryptoSigner.generate_ecdsa() for role in _KINDS}
        with self.edit_root() as root:
            for role, key in self._keys.items():
                root.add_key(key.public_key, role)
        with self.edit_targets():
            pass
        self.do_snapshot()
        self.do_timestamp()
        self.root_bytes = self.files["metadata/1.root.json"]

    @property
    def targets_infos(self) -> dict[str, MetaFile]:
        return {"targets.json": MetaFile(self._now["targets"].signed.version)}

    @property
    def snapshot_info(self) -> MetaFile:
        return MetaFile(self._now["snapshot"].signed.version)

    def open(self, role: str) -> "Metadata[Any]":
        if role in self._now:
            return copy.deepcopy(self._now[role])
        made: Metadata[Any] = Metadata(_KINDS[role]())
        made.signed.version = 0  # close raises it
        return made

    def close(self, role: str, md: "Metadata[Any]") -> None:
        md.signed.version += 1
        md.signed.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=_LASTS[role])
        md.sign(self._keys[role], append=False)
        self._now[role] = md
        name = f"{role}.json" if role == "timestamp" else f"{md.signed.version}.{role}.json"
        self.files[f"metadata/{name}"] = md.to_bytes()

    def publish(self, path: str, data: bytes, custom: dict[str, Any]) -> None:
        """Put a target in, under its content's address too, and sign what follows from it."""
        target = TargetFile.from_data(path, data, ["sha256"])
        target.unrecognized_fields["custom"] = custom
        with self.edit_targets() as targets:
            targets.targets[path] = target
        self.do_snapshot()
        self.do_timestamp()
        folder, _, name = path.rpartition("/")
        self.files[f"targets/{folder}/{target.hashes['sha256']}.{name}"] = data
