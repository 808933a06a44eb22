"""What a good refresh left in the cache: the version, keys and expiry of each role that speaks for a record.

Only files that python-tuf verified lie there. They are read by its public document model.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Key, Metadata, Role, Root, Signed, Snapshot, Targets, Timestamp

from pawld.errors import TransientError
from pawld.reasons import Reason
from pawld.trust.engine import RoleMark
from pawld.trust.tuf_cache import trusted_root
from pawld.values import dataclass

_ROOT = "tuf.root"
_TARGETS = "tuf.targets"


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of one refresh.

    Attributes:
        roles: each role's version and keys; root first, then those whose keys it names, then delegated ones.
        expires: the earliest expiry in the chain.
    """

    roles: tuple[RoleMark, ...]
    expires: datetime


def read_chain(cache: Path, path: str) -> Chain:
    """Read back the chain that leads to the target *path*; ``TransientError`` (io_failed) where the cache vanished."""
    try:
        root: Root = _read(trusted_root(cache), Root)
        top = [_load(cache, one.type, one) for one in (Timestamp, Snapshot, Targets)]
        delegated = list(_leading_to(path, cache, top[2], _TARGETS, {Targets.type}))
    except (OSError, RepositoryError) as error:
        raise TransientError(Reason.IO_FAILED, f"The metadata cache {cache} cannot be read back: {error}.") from error
    marks = [RoleMark(_ROOT, root.version)]
    marks += [RoleMark(f"tuf.{one.type}", one.version, _keys(root.keys, root.roles[one.type]), _ROOT) for one in top]
    marks += [mark for mark, _ in delegated]
    return Chain(tuple(marks), min(one.expires for one in (root, *top, *(signed for _, signed in delegated))))


def _leading_to(
    path: str, cache: Path, delegator: Targets, authority: str, seen: set[str]
) -> Iterator[tuple[RoleMark, Targets]]:
    """Walk as the client did: in order, into each role that may speak for *path*, until one of them does."""
    if path in delegator.targets or delegator.delegations is None:
        return
    for name, terminating in delegator.delegations.get_roles_for_target(path):
        if name in seen or not (cache / _file(name)).is_file():
            continue
        seen.add(name)
        signed: Targets = _load(cache, name, Targets)
        mark = f"tuf.role.{name}"
        yield RoleMark(mark, signed.version, _delegated_keys(delegator, name), authority), signed
        yield from _leading_to(path, cache, signed, mark, seen)
        if terminating or path in signed.targets:
            return


def _delegated_keys(delegator: Targets, name: str) -> int:
    delegations = delegator.delegations
    role = (delegations.roles or {}).get(name) if delegations is not None else None
    # Hash-bin delegations share one set of keys that this does not look into: their marks then never start anew.
    return _keys(delegations.keys, role) if delegations is not None and role is not None else 0


def _file(name: str) -> str:
    return f"{quote(name, '')}.json"


def _load(cache: Path, name: str, kind: type[Signed]) -> Any:
    return _read(cache / _file(name), kind)


def _read(file: Path, kind: type[Signed]) -> Any:
    document: Metadata[Any] = Metadata.from_bytes(file.read_bytes())
    if not isinstance(document.signed, kind):
        raise RepositoryError(f"{file.name} is of type {document.signed.type}")
    return document.signed


def _keys(keys: Mapping[str, Key], role: Role) -> int:
    """A number for the keys and threshold of a role; the same for the same, and never 0."""
    listed = [f"{keyid}={sorted(keys[keyid].keyval.items())}" for keyid in sorted(role.keyids) if keyid in keys]
    digest = sha256(f"{role.threshold};{';'.join(listed)}".encode()).digest()
    return int.from_bytes(digest[:7]) | 1
