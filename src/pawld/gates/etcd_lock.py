"""Gate ``etcd_lock``: a place in a semaphore that lies in etcd, each place a key that lives by its holder's lease.

Place *k* is the key ``<key>/slot/<k>``; whoever creates it holds it. A thread keeps the lease alive from the moment
that the gate opens until ``release``; a host that dies gives its place back when the lease ends. Every host must be
told the same number of slots. A lease that is lost during the swap (a partition, a cluster that was gone for too long)
does not stop the swap, which is safer finished than left; the status tells it.
"""

import logging
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from pawld.errors import PawldError
from pawld.gates.keepalive import Keepalive
from pawld.gates.remote import ASK_AGAIN, answered
from pawld.ports import Answer, Open
from pawld.reasons import Reason
from pawld.vendors.etcd import Etcd, Held

_SHOWN = 5  # holders that a sentence names
_log = logging.getLogger("pawld.gates")


class EtcdLockGate:
    """Holds a place from the moment it opens until ``release``.

    Args:
        connect: makes a client of the cluster; the thread that keeps the lease alive has one of its own.
        host_id: what a place is marked with; the same host takes its own place again.
        key: what all keys of the semaphore begin with.
        slots: how many hosts may swap at once.
        lease: after so long without a sign of life a place is free again.
    """

    def __init__(
        self,
        connect: Callable[[], Etcd],
        host_id: str,
        *,
        key: str,
        slots: int,
        lease: timedelta,
        name: str = "etcd_lock",
        max_deferral: timedelta = timedelta(days=14),
        ask_again: timedelta = ASK_AGAIN,
    ) -> None:
        self.name = name
        self.max_deferral = max_deferral
        self._connect = connect
        self._etcd = connect()
        self._host_id = host_id
        self._prefix = f"{key.strip('/')}/slot/"
        self._slots = slots
        self._lease = lease
        self._ask_again = ask_again
        self._alive: Keepalive | None = None
        self._clean = False  # nothing of this host's is in the semaphore, as far as this process knows

    def check(self, now: datetime) -> Answer:
        """Take a place; asking again while it is held is harmless."""
        if self._alive is not None and self._alive.lost() is None:
            return self._open()
        self._let_go()
        self._clean = False
        return answered(self._take, now, self._ask_again)

    def release(self) -> None:
        """Give the place back; one that cannot be given back now ends with its lease."""
        self._let_go()
        if self._clean:
            return
        try:
            for held in self._mine(self._etcd.below(self._prefix)):
                self._etcd.revoke(held.lease)
            self._clean = True
        except PawldError as error:
            _log.warning("The place in %s is free again when its lease ends: %s", self._prefix, error.message)

    def keep(self) -> None:
        """Take up an earlier process's lease, in the background."""
        if self._alive is None:
            self._clean = False
            self._alive = self._kept(self._earlier)

    def lost(self) -> str | None:
        """Tell how the lease was lost since it was taken."""
        return self._alive.lost() if self._alive is not None else None

    def _take(self) -> Open | tuple[Reason, str]:
        held = self._etcd.below(self._prefix)
        for mine in self._mine(held):
            if self._etcd.keep_alive(mine.lease):
                return self._holding(mine.lease)
        lease = self._etcd.grant(self._lease)
        taken = {one.key for one in held}
        if any(self._etcd.create(key, self._host_id, lease) for key in self._free(taken)):
            return self._holding(lease)
        self._etcd.revoke(lease)
        return Reason.LOCK_HELD, self._full(held)

    def _free(self, taken: set[str]) -> Iterator[str]:
        """Begin at a place of this host's own, so that many hosts do not race for the first one."""
        first = zlib.crc32(self._host_id.encode()) % self._slots
        places = (f"{self._prefix}{(first + one) % self._slots}" for one in range(self._slots))
        return (key for key in places if key not in taken)

    def _holding(self, lease: str) -> Open:
        self._alive = self._kept(lambda _etcd: lease)
        return self._open()

    def _kept(self, lease: Callable[[Etcd], str | None]) -> Keepalive:
        return Keepalive(self._connect, lease, self._lease, self._prefix)

    def _earlier(self, etcd: Etcd) -> str | None:
        return next((one.lease for one in self._mine(etcd.below(self._prefix))), None)

    def _let_go(self) -> None:
        if self._alive is not None:
            self._alive.stop()
            self._alive = None

    def _mine(self, held: list[Held]) -> list[Held]:
        return [one for one in held if one.value == self._host_id]

    def _open(self) -> Open:
        return Open((f"{self.name}: a place in {self._prefix} is held",))

    def _full(self, held: list[Held]) -> str:
        names = ", ".join(sorted(one.value for one in held)[:_SHOWN]) or "others"
        return f"All {self._slots} places in {self._prefix} are taken (by {names})."
