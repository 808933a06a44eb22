"""The rules over the high-water marks: what may never fall, and the one event that lets a mark fall.

python-tuf guards against rollback only as long as its cache lives; these marks stand in the updater's own store. A
role's mark is dropped only where a higher version of its authority replaced the role's keys, as the TUF
specification 5.3.11 has it for timestamp and snapshot, so that a fast-forward by a stolen key can be mended.
"""

from collections.abc import Sequence

from pawld.errors import RejectedError
from pawld.model import Record, Slot
from pawld.ports import MarkStore
from pawld.reasons import Reason
from pawld.trust.engine import RoleMark


class Marks:
    """The marks of one agent."""

    def __init__(self, store: MarkStore, agent: str) -> None:
        self._store = store
        self._agent = agent

    def check_roles(self, roles: Sequence[RoleMark]) -> None:
        """Raise ``RejectedError`` (rollback_suspected) where a role's version is below its mark."""
        for role in roles:
            mark = self._store.mark(self._agent, role.name)
            if mark is not None and role.version < mark and not self._replaced(role, roles):
                raise _rollback(role.name, role.version, mark)

    def raise_roles(self, roles: Sequence[RoleMark]) -> None:
        """Raise every role's mark; those of replaced keys start anew.

        Authorities are raised last. A crash in between leaves a lower authority, and the next run does the same again.
        """
        for role in [role for role in reversed(roles) if self._replaced(role, roles)]:
            self._store.forget(self._agent, role.name)
            self._store.forget(self._agent, _keys(role))
        for role in reversed(roles):
            if role.keys:
                self._store.raise_to(self._agent, _keys(role), role.keys)
            self._store.raise_to(self._agent, role.name, role.version)

    def check_sequence(self, path: str, record: Record, installed: Slot | None) -> None:
        """Raise ``RejectedError`` (rollback_suspected) where a release older than one seen before is stated.

        A signed ``allow_downgrade_from`` lifts that for hosts that run one of the versions it names, or came from one.
        """
        mark = self._store.mark(self._agent, _sequence(path))
        if mark is None or record.sequence >= mark or _ordered_back(record, installed):
            return
        raise _rollback(f"the release sequence of {path}", record.sequence, mark)

    def raise_sequence(self, path: str, record: Record) -> None:
        """Raise the mark of *path*."""
        self._store.raise_to(self._agent, _sequence(path), record.sequence)

    def _replaced(self, role: RoleMark, roles: Sequence[RoleMark]) -> bool:
        """The role's keys are others than before, by a higher version of the role that names them.

        Where that role's own keys were replaced, its version has started anew and counts as higher.
        """
        if not role.keys or self._store.mark(self._agent, _keys(role)) == role.keys:
            return False
        authority = next((one for one in roles if one.name == role.authority), None)
        if authority is None:
            return False
        known = self._store.mark(self._agent, authority.name)
        return known is not None and (authority.version > known or self._replaced(authority, roles))


def _ordered_back(record: Record, installed: Slot | None) -> bool:
    if installed is None or not record.allow_downgrade_from:
        return False
    return installed.version in (*record.allow_downgrade_from, record.version)


def _keys(role: RoleMark) -> str:
    return f"{role.name}.keys"


def _sequence(path: str) -> str:
    return f"sequence.{path}"


def _rollback(what: str, seen: int, mark: int) -> RejectedError:
    return RejectedError(
        Reason.ROLLBACK_SUSPECTED, f"{what} is {seen}, but {mark} was seen on this host before; it may not fall."
    )
