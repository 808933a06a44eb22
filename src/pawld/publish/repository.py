"""The published metadata: what ``timestamp.json`` leads to, and every root.

A file that the timestamp does not lead to was never published, whatever its name: a publication that was cut leaves
such files, and the next one replaces them. Roots are the exception: clients try N+1, so a root is public once it is
there, and none is ever removed.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from pawld.errors import OperatorError
from pawld.formats.metadata import MOST_METADATA
from pawld.publish.roles import ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from pawld.reasons import Reason
from pawld.system.files import make_directory, write_durably

Write = Callable[[Path, bytes], None]
METADATA_LIMIT = 5_000_000  # bytes; python-tuf's own limit for one targets file


def write_public(path: Path, data: bytes) -> None:
    """Write what a web server, under another account, must be able to read."""
    write_durably(path, data, mode=0o644)


class Repository:
    """The directory ``public/metadata``."""

    def __init__(self, directory: Path, write: Write = write_public) -> None:
        self._directory = directory
        self._write = write

    def exists(self) -> bool:
        """Say whether anything was ever published."""
        return self._path(TIMESTAMP, 0).exists()

    def root(self) -> Metadata[Root] | None:
        """Return the newest root; None before the first."""
        version = 0
        while self._path(ROOT, version + 1).exists():
            version += 1
        return self._load(ROOT, version) if version else None

    def timestamp(self) -> Metadata[Timestamp] | None:
        """Return the timestamp; None before the first publication."""
        return self._load(TIMESTAMP, 0) if self.exists() else None

    def snapshot(self) -> Metadata[Snapshot] | None:
        """Return the snapshot that the timestamp leads to."""
        timestamp = self.timestamp()
        return None if timestamp is None else self._load(SNAPSHOT, timestamp.signed.snapshot_meta.version)

    def targets(self, role: str = TARGETS) -> Metadata[Targets] | None:
        """Return *role*'s metadata as the snapshot has it: the top one, or a delegated one."""
        version = self.version(role)
        return self._load(role, version) if version else None

    def version(self, role: str) -> int:
        """Return the published version of *role*; 0 where there is none."""
        if role == ROOT:
            root = self.root()
            return root.signed.version if root else 0
        if role == TIMESTAMP:
            timestamp = self.timestamp()
            return timestamp.signed.version if timestamp else 0
        snapshot = self.snapshot()
        if snapshot is None or role == SNAPSHOT:
            return snapshot.signed.version if snapshot else 0
        return snapshot.signed.meta[f"{role}.json"].version if f"{role}.json" in snapshot.signed.meta else 0

    def read(self, role: str) -> Metadata[Any] | None:
        """Return *role*'s published metadata, whichever role it is."""
        if role == ROOT:
            return self.root()
        if role == TIMESTAMP:
            return self.timestamp()
        return self.snapshot() if role == SNAPSHOT else self.targets(role)

    def bytes_of(self, role: str, version: int) -> bytes:
        """Return the published file itself, for its digest."""
        return self._path(role, version).read_bytes()

    def files(self, roles: tuple[str, ...]) -> list[Path]:
        """Return every root and the current files of *roles*, in the order in which a client reads them."""
        roots = [self._path(ROOT, number) for number in range(1, self.version(ROOT) + 1)]
        others = [self._path(role, self.version(role)) for role in roles if self.version(role)]
        return [*roots, self._path(TIMESTAMP, 0), *others]

    def write(self, role: str, metadata: Metadata[Any]) -> bytes:
        """Write one file under its public name, durably, and return its bytes."""
        data = metadata.to_bytes()
        if len(data) > METADATA_LIMIT:
            raise OperatorError(
                Reason.CONFIG_INVALID,
                f"The metadata of {role} has {len(data)} bytes; TUF clients read at most {METADATA_LIMIT}.",
            )
        make_directory(self._directory)
        self._write(self._path(role, metadata.signed.version), data)
        return data

    def large(self, roles: Iterable[str]) -> dict[str, int]:
        """Return those of the current documents of *roles* that a host does not read by default, with their bytes."""
        sizes = {role: self._path(role, self.version(role)).stat().st_size for role in roles}
        return {role: size for role, size in sizes.items() if size > MOST_METADATA}

    def _path(self, role: str, version: int) -> Path:
        return self._directory / (f"{TIMESTAMP}.json" if role == TIMESTAMP else f"{version}.{role}.json")

    def _load(self, role: str, version: int) -> Metadata[Any]:
        return load(self._path(role, version))


def load(path: Path) -> Metadata[Any]:
    """Read one metadata file; ``OperatorError`` (config_invalid) where it is none."""
    try:
        return Metadata.from_bytes(path.read_bytes())
    except (OSError, DeserializationError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{path} is no TUF metadata that can be read.") from error
