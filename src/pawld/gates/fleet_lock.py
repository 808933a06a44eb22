"""Gate ``fleet_lock``: a place in a FleetLock semaphore, as Zincati asks for it and airlock and others answer.

``pre-reboot`` takes a place before the swap, ``steady-state`` gives it back after the commit or the way back, and once
at every start. Taking what one holds and giving back what one does not hold are both 200. Anything but 200 means wait,
whatever its status and type: a full semaphore is a 500 there, sent as text. The lock has no lease: a host that dies
with it holds it until it starts again, or until somebody unlocks its id by hand.

Protocol: https://coreos.github.io/zincati/development/fleetlock/protocol/
"""

import json
import logging
import re
from datetime import datetime, timedelta
from enum import Enum
from http import HTTPStatus

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.gates.remote import ASK_AGAIN
from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.http import Reply, Web, checked_url
from pawld.vendors.faults import plain

DEADLINE = timedelta(seconds=30)  # for one call; airlock answers a dead etcd within its own transaction timeout
LIMIT = 64 * 1024  # bytes of an answer that are read
_HEADERS = {"fleet-lock-protocol": "true", "Content-Type": "application/json"}
_GROUP = re.compile(r"[a-zA-Z0-9.-]+")
_log = logging.getLogger("pawld.gates")


class _Place(Enum):
    """What this process knows of its place in the semaphore."""

    FREE = "free"
    TAKEN = "taken"
    UNKNOWN = "unknown"  # an earlier process, or an answer that was lost, may have taken it


class FleetLockGate:
    """Holds a place from the moment it opens until ``release``.

    Args:
        base_url: of the lock server, without ``/v1``.
        host_id: what the server calls this host; ids are what a lock is held by.
        group: hosts that share the places.
    """

    def __init__(
        self,
        web: Web,
        base_url: str,
        host_id: str,
        *,
        group: str = "default",
        name: str = "fleet_lock",
        max_deferral: timedelta = timedelta(days=14),
        ask_again: timedelta = ASK_AGAIN,
    ) -> None:
        if not _GROUP.fullmatch(group):
            raise OperatorError(
                Reason.CONFIG_INVALID,
                f"The gate {name} has the group {group!r}; letters, digits, . and - make one.",
            )
        self.name = name
        self.max_deferral = max_deferral
        self._web = web
        self._url = checked_url(base_url.rstrip("/"), f"The base_url of {name}")
        self._body = json.dumps({"client_params": {"id": host_id, "group": group}}).encode()
        self._group = group
        self._ask_again = ask_again
        self._place = _Place.UNKNOWN

    def check(self, now: datetime) -> Answer:
        """Take a place; asking again while it is held is harmless."""
        self._place = _Place.UNKNOWN
        try:
            reply = self._post("pre-reboot")
        except TransientError as error:
            return Closed(error.reason, error.message, now + max(error.retry_after or self._ask_again, self._ask_again))
        except PawldError as error:
            return Broken(error.message, error.reason)
        if reply.status != HTTPStatus.OK:
            message = f"The lock server gives no place in the group {self._group} now: {_told(reply)}."
            return Closed(Reason.LOCK_HELD, message, now + self._ask_again)
        self._place = _Place.TAKEN
        return Open((f"{self.name}: a place in the group {self._group} is held",))

    def release(self) -> None:
        """Report the steady state, unless this process knows that it holds nothing."""
        if self._place is _Place.FREE:
            return
        try:
            reply = self._post("steady-state")
        except PawldError as error:
            _log.warning("The place in the group %s is given back at the next start: %s", self._group, error.message)
            return
        if reply.status == HTTPStatus.OK:
            self._place = _Place.FREE
        else:
            _log.warning("The lock server did not take the place in %s back: %s.", self._group, _told(reply))

    def _post(self, verb: str) -> Reply:
        url = f"{self._url}/v1/{verb}"
        return self._web.tell(url, self._body, headers=_HEADERS, most=LIMIT, deadline=DEADLINE)


def _told(reply: Reply) -> str:
    """Return kind and value of the refusal, where it has them, whatever type it was sent as."""
    said = reply.document or {}
    parts = [plain(str(said[key]), 240) for key in ("kind", "value") if said.get(key)]
    return f"it answered {reply.status}" + (f", {': '.join(parts)}" if parts else "")
