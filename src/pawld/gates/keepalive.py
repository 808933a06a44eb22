"""The thread that keeps a lease alive while its holder is busy with a swap."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from pawld.errors import PawldError
from pawld.vendors.etcd import Etcd

_BEATS = 3  # signs of life within one lease, so that two may be lost
_log = logging.getLogger("pawld.gates")


class Keepalive:
    """Renews a lease until ``stop``, or until it is lost: it was ended, or no sign of life came through for its length.

    Args:
        connect: makes the thread's own client.
        lease: returns the lease, asked until it answers; None where there is none any more.
        length: of the lease.
        place: what it holds, for the sentence.
    """

    def __init__(
        self, connect: Callable[[], Etcd], lease: Callable[[Etcd], str | None], length: timedelta, place: str
    ) -> None:
        self._connect = connect
        self._find = lease
        self._lease: str | None = None
        self._length = length.total_seconds()
        self._place = place
        self._lost: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pawld-keepalive", daemon=True)
        self._thread.start()

    def lost(self) -> str | None:
        """Return how the lease was lost, as a sentence; None while it is held."""
        return self._lost

    def stop(self) -> None:
        """End the thread; the lease is left as it is. A call under way may outlive this, and changes nothing."""
        self._stopped.set()
        self._thread.join(timeout=self._length / _BEATS)

    def _run(self) -> None:
        etcd, good = self._connect(), time.monotonic()
        told = ""
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                alive = self._beat(etcd)
            except PawldError as error:
                if error.message != told:
                    told = error.message
                    _log.warning("The lease of %s could not be renewed: %s", self._place, told)
                if time.monotonic() - good >= self._length:
                    return self._tell("it could not be renewed for its whole length")
            else:
                if not alive:
                    return self._tell("the cluster had ended it")
                good = began
            self._stopped.wait(self._length / _BEATS)
        return None

    def _beat(self, etcd: Etcd) -> bool:
        if self._lease is None:
            self._lease = self._find(etcd)
        return self._lease is not None and etcd.keep_alive(self._lease)

    def _tell(self, how: str) -> None:
        self._lost = (
            f"The lock in {self._place} was lost meanwhile, so that another host may swap at the same time: {how}."
        )
        _log.warning("%s", self._lost)
