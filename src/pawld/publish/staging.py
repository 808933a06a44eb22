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
        if self.path(role).exists():
            self.path(role).unlink()
            fsync_directory(self._directory)

    def merge(self, carried: Path) -> tuple[str, ...]:
        """Add the signatures of a file that came back to the staged one, and return its role.

        Two roles may say the very same (nothing, at first); what is signed for one is then signed for the other.

        Raises:
            RejectedError: metadata_untrusted where it is not a copy of what is staged; its signatures say nothing then.
        """
        back = load(carried)
        found = {role: one for role in self.roles() if (one := self.read(role)) is not None}
        same = {role: one for role, one in found.items() if one.signed_bytes == back.signed_bytes}
        if not same:
            raise RejectedError(
                Reason.METADATA_UNTRUSTED,
                f"{carried} is not a copy of anything that is staged: it was changed on its way, or is out of date.",
            )
        for role, staged in same.items():
            staged.signatures.update(back.signatures)
            self.put(role, staged)
        return tuple(same)
