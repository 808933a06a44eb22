"""Not too fast and not too slow: the rate limit of the administrator, and the patience with a server that drips."""

from datetime import timedelta

from pawld.errors import TransientError
from pawld.ports import Clock
from pawld.reasons import Reason
from pawld.system.drip import SLOWEST, WINDOW, Drip

_BURST = 0.25  # seconds' worth that may come at once after a lull, or one block


class Pace:
    """Told of every block. It waits where the limit asks for it, and gives up where too little comes.

    Args:
        limit: bytes a second; None is no limit.
        slowest: bytes a second that must come in each *window*.
    """

    def __init__(
        self, clock: Clock, limit: int | None = None, *, slowest: int = SLOWEST, window: timedelta = WINDOW
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._drip = Drip(min(slowest, limit // 2) if limit else slowest, window)
        self._free_at = self._since = clock.monotonic()

    def passed(self, count: int) -> None:
        """*count* bytes came; ``TransientError`` (transfer_stalled) where they come too slowly."""
        now = self._clock.monotonic()
        wrong = self._drip.came(count, now - self._since)
        if wrong:
            raise TransientError(Reason.TRANSFER_STALLED, f"{wrong[0].upper()}{wrong[1:]}.")
        self._since = now
        if self._limit:
            self._wait(count / self._limit, now)

    def _wait(self, share: float, now: float) -> None:
        """Take *share* seconds of the line; what the server took counts, what is waited here is not its slowness."""
        self._free_at = max(self._free_at, now - max(_BURST, share)) + share
        if self._free_at > now:
            self._clock.sleep(timedelta(seconds=self._free_at - now))
            self._since = self._clock.monotonic()
