"""One publisher's directory, opened: the published metadata, what is staged, and the keys at hand."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Targets

from pawld.errors import OperatorError, TransientError
from pawld.ports import Clock
from pawld.publish.keyring import Keyring
from pawld.publish.keys import Unlock
from pawld.publish.layout import Layout
from pawld.publish.plan import Plan, read_plan
from pawld.publish.repository import Repository, Write, write_public
from pawld.publish.roles import ROOT, TARGETS, TOP_LEVEL
from pawld.publish.staging import Staging
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.values import dataclass


@dataclass(slots=True)
class Publisher:
    """Everything that a release command works on."""

    layout: Layout
    plan: Plan
    repository: Repository
    staging: Staging
    keyring: Keyring
    clock: Clock

    @property
    def root(self) -> Metadata[Root]:
        """The root that will be in force: the staged one, or else the published one."""
        return self.latest(ROOT)

    @property
    def targets(self) -> Metadata[Targets]:
        """The delegations that will be in force."""
        return self.latest(TARGETS)

    def latest(self, role: str) -> Metadata[Any]:
        """Return what is staged for *role*, or else what is published; ``OperatorError`` where there is neither."""
        metadata = self.staging.read(role) or self.repository.read(role)
        if metadata is None:
            raise OperatorError(Reason.CONFIG_INVALID, f"There is no metadata of {role} in {self.layout.home} yet.")
        return metadata

    def latest_published(self, role: str) -> Metadata[Any]:
        """Return what is published for *role*; ``OperatorError`` (config_invalid) where nothing is."""
        metadata = self.repository.read(role)
        if metadata is None:
            raise OperatorError(Reason.CONFIG_INVALID, f"Nothing of {role} in {self.layout.home} is published yet.")
        return metadata

    def edited(self, role: str) -> Metadata[Any]:
        """Return an unsigned copy of ``latest`` with the next version and a fresh expiry, to be changed and staged."""
        signed = copy.deepcopy(self.latest(role).signed)
        signed.version = self.repository.version(role) + 1
        signed.expires = (self.clock.now() + self.plan.term(role).lifetime).replace(microsecond=0)
        return Metadata(signed)

    def stage(self, role: str, metadata: Metadata[Any], root: Metadata[Root] | None = None) -> None:
        """Sign *metadata* with every key of *role* that is at hand, a coming *root*'s among them, and stage it."""
        self.sign(role, metadata, root)
        self.staging.put(role, metadata)

    def sign(self, role: str, metadata: Metadata[Any], root: Metadata[Root] | None = None) -> None:
        """Add the signatures of every key of *role* that is at hand, a coming *root*'s among them."""
        for key in self.keys_of(role, root).values():
            if (signer := self.keyring.signer(key)) is not None:
                sign_with(metadata, signer, self.keyring.name_of(key.keyid))

    def keys_of(self, role: str, root: Metadata[Root] | None = None) -> dict[str, Key]:
        """Return the keys that may sign for *role*.

        For the top roles these are the keys of the published root, of the staged one and of a coming *root* together:
        what all trust is accepted before and after a rotation, so that no client ever meets metadata which its root
        refuses.
        """
        if role not in TOP_LEVEL:
            signed = self.targets.signed
            return {keyid: signed.get_key(keyid) for keyid in signed.get_delegated_role(role).keyids}
        roots = [one.signed for one in (self.repository.root(), self.staging.read(ROOT), root) if one is not None]
        return {keyid: one.get_key(keyid) for one in roots for keyid in one.roles[role].keyids}


def open_publisher(home: Path, unlock: Unlock, clock: Clock, *, write: Write = write_public) -> Publisher:
    """Open a directory that ``init`` made; *write* is how public metadata files are written."""
    layout = Layout(home)
    return Publisher(
        layout,
        read_plan(layout.plan),
        Repository(layout.metadata, write),
        Staging(layout.staged),
        Keyring(layout.keys, unlock),
        clock,
    )


def sign_with(metadata: Metadata[Any], signer: Signer, name: str) -> str:
    """Add one signature, and return the id of its key; ``OperatorError`` (secret_missing) where the key cannot sign."""
    try:
        return str(metadata.sign(signer, append=True).keyid)
    except UnsignedMetadataError as error:
        cause = error.__cause__ or error
        why = f"{type(cause).__name__}: {cause}".rstrip(": .")
        raise OperatorError(Reason.SECRET_MISSING, f"The key {name} could not sign: {why}.") from error


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Let one command change *home* at a time; ``TransientError`` (updater_busy) where another is at it."""
    with host_faults("Locking the publisher's directory"):
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(Layout(home).lock, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise TransientError(Reason.UPDATER_BUSY, f"Another `pawld release` is at work in {home}.") from error
    try:
        yield
    finally:
        lock.release()
