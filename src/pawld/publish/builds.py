"""The ledger of ingested builds: what was measured, so that ``promote`` signs just that."""

import json
from collections.abc import Iterator
from pathlib import Path

from pawld.errors import OperatorError
from pawld.formats.record import read_custom, write_custom
from pawld.model import Platform, Record
from pawld.reasons import Reason
from pawld.system.files import make_directory, write_durably
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Build:
    """One ingested build.

    Attributes:
        record: as it was first published; channel, sequence and rollout change with each promotion.
        kept: its bytes are served from here; else hosts fetch them from the vendor.
    """

    record: Record
    sha512: str
    kept: bool


class Ledger:
    """The directory ``builds``: ``<product>/<version>/<platform>.json``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, product: str, version: str, platform: Platform) -> Build | None:
        """Return the build of that name; None where it was never ingested."""
        path = self._path(product, version, platform)
        return _read(path) if path.exists() else None

    def of_version(self, product: str, version: str) -> Iterator[Build]:
        """Yield the builds of one release, a platform each."""
        for path in sorted((self._directory / product / version).glob("*.json")):
            yield _read(path)

    def of_platform(self, product: str, platform: Platform) -> Iterator[Build]:
        """Yield the builds of every release for one platform."""
        for path in sorted((self._directory / product).glob(f"*/{platform}.json")):
            yield _read(path)

    def keep(self, build: Build) -> None:
        """Take note of *build*, durably."""
        path = self._path(build.record.product, build.record.version, build.record.platform)
        make_directory(path.parent, mode=0o700)
        facts = {
            "schema": 1,
            "length": build.record.length,
            "sha256": build.record.sha256,
            "sha512": build.sha512,
            "kept": build.kept,
            "record": write_custom(build.record),
        }
        write_durably(path, json.dumps(facts, indent=1, sort_keys=True).encode() + b"\n")

    def _path(self, product: str, version: str, platform: Platform) -> Path:
        return self._directory / product / version / f"{platform}.json"


def _read(path: Path) -> Build:
    try:
        facts = json.loads(path.read_bytes())
        record = read_custom(facts["record"], facts["length"], facts["sha256"])
        return Build(record, facts["sha512"], facts["kept"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{path} cannot be read as an ingested build.") from error
