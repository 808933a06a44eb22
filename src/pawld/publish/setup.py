"""Found a repository: keys, roles, and a first empty edition. Running it again finishes what was cut."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path

from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Role, Root, Targets

from pawld.errors import OperatorError
from pawld.ports import Clock
from pawld.publish.keyring import Keyring
from pawld.publish.keys import NamedKey, Unlock
from pawld.publish.layout import Layout
from pawld.publish.plan import Plan
from pawld.publish.publication import Published, publish
from pawld.publish.publisher import Publisher, open_publisher
from pawld.publish.repository import Write, write_public
from pawld.publish.roles import ARCHIVE, ROOT, TARGETS, TOP_LEVEL, Quorum, patterns_of, quorum_of
from pawld.reasons import Reason
from pawld.system.files import make_directory, write_durably
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Founding:
    """What ``init`` is told.

    Attributes:
        quorums: where they differ from ``roles.quorum_of``.
        public_keys: keys that are made and held elsewhere, by role; they count before any is made here.
    """

    plan: Plan
    quorums: Mapping[str, Quorum] = field(default_factory=dict)
    public_keys: Mapping[str, tuple[NamedKey, ...]] = field(default_factory=dict)

    def quorum(self, role: str) -> Quorum:
        """Return the quorum of *role*."""
        return self.quorums.get(role) or quorum_of(role)


def found(home: Path, founding: Founding, unlock: Unlock, clock: Clock, *, write: Write = write_public) -> Published:
    """Make keys and the first metadata in *home*, and publish it unless a key that must sign is elsewhere.

    Raises:
        OperatorError: config_invalid where there is a repository already.
    """
    layout = Layout(home)
    if layout.plan.exists() and not _unfinished(layout, founding):
        raise OperatorError(Reason.CONFIG_INVALID, f"There is a publisher's directory in {home} already.")
    make_directory(home, mode=0o755)
    keys = _keys(Keyring(layout.keys, unlock), founding)
    write_durably(layout.plan, founding.plan.document())
    publisher = open_publisher(home, unlock, clock, write=write)
    if set(publisher.staging.roles()) != {ROOT, TARGETS, *founding.plan.delegated}:
        _put_first(publisher, founding, keys)
    for role in (ROOT, TARGETS, *founding.plan.delegated):
        publisher.stage(role, publisher.latest(role))  # adds what the keys at hand can sign, keeps what was carried in
    return publish(publisher)


def _unfinished(layout: Layout, founding: Founding) -> bool:
    same = layout.plan.read_bytes() == founding.plan.document()
    return same and not (layout.metadata / "timestamp.json").exists()


def _keys(keyring: Keyring, founding: Founding) -> dict[str, list[NamedKey]]:
    """Return each role's keys: those given, those that a cut ``init`` left, and new ones."""
    keys: dict[str, list[NamedKey]] = {}
    for role in (*TOP_LEVEL, *founding.plan.channels):
        given = [keyring.add(named) for named in founding.public_keys.get(role, ())]
        left = [one for one in keyring.known().values() if one.name.rpartition("-")[0] == role and one not in given]
        keys[role] = [*given, *left][: max(founding.quorum(role).keys, len(given))]
        while len(keys[role]) < founding.quorum(role).keys:
            keys[role].append(keyring.new(role))
    return keys


def _put_first(publisher: Publisher, founding: Founding, keys: Mapping[str, list[NamedKey]]) -> None:
    root = Root(expires=_expiry(publisher, ROOT), roles={role: _role(founding, keys, role) for role in TOP_LEVEL})
    for role in TOP_LEVEL:
        for named in keys[role]:
            root.add_key(named.key, role)
    targets = Targets(expires=_expiry(publisher, TARGETS), delegations=_delegations(founding, keys))
    publisher.staging.put(ROOT, Metadata(root))
    publisher.staging.put(TARGETS, Metadata(targets))
    for role in founding.plan.delegated:
        publisher.staging.put(role, Metadata(Targets(expires=_expiry(publisher, role))))


def _delegations(founding: Founding, keys: Mapping[str, list[NamedKey]]) -> Delegations:
    roles = {role: _delegated(founding, keys, role) for role in founding.plan.delegated}
    return Delegations({one.key.keyid: one.key for role in founding.plan.channels for one in keys[role]}, roles)


def _delegated(founding: Founding, keys: Mapping[str, list[NamedKey]], role: str) -> DelegatedRole:
    signers = founding.plan.archived if role == ARCHIVE else role
    keyids = [named.key.keyid for named in keys[signers]]
    paths = patterns_of(role, founding.plan.products)
    return DelegatedRole(role, keyids, founding.quorum(signers).threshold, terminating=True, paths=paths)


def _role(founding: Founding, keys: Mapping[str, list[NamedKey]], role: str) -> Role:
    return Role([named.key.keyid for named in keys[role]], founding.quorum(role).threshold)


def _expiry(publisher: Publisher, role: str) -> datetime:
    return (publisher.clock.now() + publisher.plan.term(role).lifetime).replace(microsecond=0)
