"""What can be published now: the staged metadata that is fully signed and fits together with the rest.

A role that still misses signatures holds back only what depends on it: a beta build goes out while stable waits for
its second signer. Thresholds are counted by python-tuf, on the very bytes that a client will see.
"""

from collections.abc import Mapping
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets

from pawld.publish.publisher import Publisher
from pawld.publish.roles import ROOT, TARGETS
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Missing:
    """Signatures that a staged role still needs: *count* more, by any of the keys *by* (names)."""

    role: str
    count: int
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """One consistent set: the root and delegations in force afterwards, and the roles that come new."""

    root: Metadata[Root]
    targets: Metadata[Targets]
    new: Mapping[str, Metadata[Any]]


def staged(publisher: Publisher) -> dict[str, Metadata[Any]]:
    """Return what is staged and not yet public; what a publication that was cut has left over is dropped."""
    found: dict[str, Metadata[Any]] = {}
    for role in publisher.staging.roles():
        metadata = publisher.latest(role)
        if metadata.signed.version <= publisher.repository.version(role):
            publisher.staging.drop(role)
        else:
            found[role] = metadata
    return found


def ready(publisher: Publisher) -> Edition | None:
    """Return the largest set that verifies from the root down; None where not even the published one does."""
    waiting = staged(publisher)
    for without in ((), (ROOT,), (TARGETS,), (ROOT, TARGETS)):
        chosen = {role: metadata for role, metadata in waiting.items() if role not in without}
        edition = _edition(publisher, chosen)
        if edition is not None:
            return edition
    return None


def missing(publisher: Publisher) -> tuple[Missing, ...]:
    """Return what each staged role still needs."""
    needs = (_missing(publisher, role, metadata) for role, metadata in staged(publisher).items())
    return tuple(need for needed in needs for need in needed)


def _edition(publisher: Publisher, chosen: Mapping[str, Metadata[Any]]) -> Edition | None:
    published = publisher.repository.root()
    root = chosen.get(ROOT) or published
    targets = chosen.get(TARGETS) or publisher.repository.targets()
    if root is None or targets is None or not _root_verifies(root, published):
        return None
    if not verifies(root.signed, TARGETS, targets):
        return None
    new = {role: metadata for role, metadata in chosen.items() if role in (ROOT, TARGETS)}
    for role in delegated(targets.signed):
        comes, stays = chosen.get(role), publisher.repository.targets(role)
        if comes is not None and verifies(targets.signed, role, comes) and _lasts(publisher, role, comes):
            new[role] = comes
        elif stays is None or not verifies(targets.signed, role, stays):
            return None
    return Edition(root, targets, new)


def _lasts(publisher: Publisher, role: str, metadata: Metadata[Any]) -> bool:
    """Whether *metadata* will verify under the staged delegations too; else it is what they wait for."""
    coming = publisher.targets.signed
    return role not in delegated(coming) or verifies(coming, role, metadata)


def delegated(targets: Targets) -> tuple[str, ...]:
    """Return the roles that *targets* delegates to, in the order in which clients ask them."""
    return tuple(targets.delegations.roles or ()) if targets.delegations else ()


def verifies(delegator: Root | Targets, role: str, metadata: Metadata[Any]) -> bool:
    """Say whether *metadata* carries the threshold of signatures that *delegator* asks of *role*."""
    return bool(delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures))


def _root_verifies(root: Metadata[Root], published: Metadata[Root] | None) -> bool:
    previous = published.signed if published is not None and published.signed.version < root.signed.version else None
    return bool(root.signed.get_root_verification_result(previous, root.signed_bytes, root.signatures))


def _missing(publisher: Publisher, role: str, metadata: Metadata[Any]) -> list[Missing]:
    delegators: list[Root | Targets] = [publisher.root.signed if role in (ROOT, TARGETS) else publisher.targets.signed]
    published = publisher.repository.root()
    if role == ROOT and published is not None:
        delegators.insert(0, published.signed)
    needs = []
    for delegator in delegators:
        result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        if not result:
            names = tuple(sorted(publisher.keyring.name_of(keyid) for keyid in result.unsigned))
            needs.append(Missing(role, result.missing, names))
    return needs
