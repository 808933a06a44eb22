"""Gate ``codearts_pool``: open while the configured agent pool is the one that a check task uses.

It tells whether this host is in scope, by the pool's id; no call of the service tells whether an agent is busy.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pawld.errors import OperatorError
from pawld.gates.remote import ASK_AGAIN, answered
from pawld.ports import Answer, Open
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.api import Auth, Now
from pawld.vendors.codearts_check import CheckApi, PoolForm, Pools
from pawld.vendors.faults import plain

_TOLD = 10  # pools that a sentence lists


class CodeartsPoolGate:
    """Watches the pools of one check task.

    Args:
        pool_id: the pool that this host's agent belongs to.
        pool_type: what its ``type`` must be (Mac, Windows_VM, VM, Docker, …), in any letter case; None: any.
        ask_again: how long after a closed answer.
    """

    def __init__(
        self,
        web: Web,
        base_url: str,
        auth: Auth,
        now: Now,
        *,
        task_id: str,
        pool_id: str,
        pool_type: str | None = None,
        name: str = "codearts_pool",
        max_deferral: timedelta = timedelta(days=14),
        ask_again: timedelta = ASK_AGAIN,
    ) -> None:
        self.name = name
        self.max_deferral = max_deferral
        self._ask_again = ask_again
        self._api = CheckApi(web, base_url, task_id, auth, now)
        if not pool_id:
            raise OperatorError(Reason.CONFIG_INVALID, f"The gate {name} needs a pool_id.")
        self._pool_id = pool_id
        self._pool_type = pool_type

    def check(self, now: datetime) -> Answer:
        """Ask for every pool; anything but "ours is the one in use, and of its type" closes the gate."""
        return answered(self._judged, now, self._ask_again)

    def release(self) -> None:
        """Nothing was taken."""

    def _judged(self) -> Open | tuple[Reason, str]:
        seen = self._api.pools()
        against = self._objection(seen)
        if against is None:
            return Open((f"pool {self._pool_id} is in use", f"pools seen: {_told(seen.pools)}"))
        return Reason.POOL_OUT_OF_SCOPE, f"{against} Pools seen: {_told(seen.pools)}."

    def _objection(self, seen: Pools) -> str | None:
        """Say why this host is out of scope; the page and its items name the selected pool, and both must agree."""
        ours = [pool for pool in seen.pools if pool.id == self._pool_id]
        selected = [pool.id for pool in seen.pools if pool.selected]
        if not ours:
            return f"CodeArts Check lists no pool {self._pool_id}."
        if not seen.selected_id and not selected:
            return "The check task uses the built-in executors."
        if seen.selected_id != self._pool_id or selected != [self._pool_id]:
            others = plain(", ".join(sorted({one or "" for one in (seen.selected_id, *selected)})), 160)
            return f"The check task does not use the pool {self._pool_id} alone; selected: {others}."
        return self._wrong_type(ours)

    def _wrong_type(self, ours: Sequence[PoolForm]) -> str | None:
        types = {(pool.type or "").casefold() for pool in ours}
        if self._pool_type is None or types == {self._pool_type.casefold()}:
            return None
        found = plain(", ".join(sorted(pool.type or "none" for pool in ours)), 64)
        return f"The pool {self._pool_id} has the type {found}, where {self._pool_type} is configured."


def _told(pools: Sequence[PoolForm]) -> str:
    told = [f"{pool.name or '(unnamed)'} ({pool.id or 'no id'}, {pool.type or 'no type'})" for pool in pools[:_TOLD]]
    more = f" and {len(pools) - _TOLD} more" if len(pools) > _TOLD else ""
    return plain(", ".join(told), 480) + more if told else "none"
