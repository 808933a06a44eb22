"""Metadata under way: changed, perhaps signed, not published. Files here are what people carry to their keys."""

from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata

from pawld.errors import RejectedError
from pawld.publish.repository import load
from pawld.reasons import Reason
from pawld.system.files import fsync_directory, make_directory, write_durably


class Staging:
    """The directory ``staged``: at most one file a role, ``<role>.json``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def roles(self) -> tuple[str, ...]:
        """Return the roles that have something staged."""
        return tuple(sorted(path.stem for path in self._directory.glob("*.json")))

    def path(self, role: str) -> Path:
        """Return the file that is carried to the keys of *role*."""
        return self._directory / f"{role}.json"

    def read(self, role: str) -> Metadata[Any] | None:
        """Return what is staged for *role*; None where nothing is."""
        path = self.path(role)
        return load(path) if path.exists() else None

    def put(self, role: str, metadata: Metadata[Any]) -> None:
        """Stage *metadata* in the place of what was there."""
        make_directory(self._directory, mode=0o700)
        write_durably(self.path(role), metadata.to_bytes())

    def drop(self, role: str) -> None:
        """Forget what is staged for *role*; nothing there is no error."""
        self.path(role).unlink(missing_ok=True)
        if self._directory.exists():
            fsync_directory(self._directory)

    def merge(self, carried: Path) -> str:
        """Add the signatures of a file that came back to the staged one, and return the role.

        Raises:
            RejectedError: metadata_untrusted where it is not a copy of what is staged; its signatures say nothing then.
        """
        back = load(carried)
        for role in self.roles():
            staged = self.read(role)
            if staged is not None and staged.signed_bytes == back.signed_bytes:
                staged.signatures.update(back.signatures)
                self.put(role, staged)
                return role
        raise RejectedError(
            Reason.METADATA_UNTRUSTED,
            f"{carried} is not a copy of anything that is staged: it was changed on its way, or is out of date.",
        )
