"""Not too fast and not too slow: the rate limit of the administrator, and the patience with a server that drips."""

from datetime import timedelta

from pawld.errors import TransientError
from pawld.ports import Clock
from pawld.reasons import Reason

SLOWEST = 512  # bytes a second, over a whole window; less is a server that holds on to its clients
WINDOW = timedelta(seconds=60)
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
        self._slowest = min(slowest, limit // 2) if limit else slowest
        self._window = window.total_seconds()
        self._free_at = self._since = clock.monotonic()
        self._count = 0

    def passed(self, count: int) -> None:
        """*count* bytes came; ``TransientError`` (transfer_stalled) where they come too slowly."""
        self._count += count
        now = self._clock.monotonic()
        if now - self._since >= self._window:
            self._judge(now)
        if self._limit:
            self._wait(count / self._limit, now)

    def _judge(self, now: float) -> None:
        rate = self._count / (now - self._since)
        if rate < self._slowest:
            raise TransientError(
                Reason.TRANSFER_STALLED,
                f"Only {rate:.0f} bytes a second came for {self._window:g} s; at least {self._slowest} are expected.",
            )
        self._since, self._count = now, 0

    def _wait(self, share: float, now: float) -> None:
        """Take *share* seconds of the line; what the server took counts, what is waited here is not its slowness."""
        self._free_at = max(self._free_at, now - max(_BURST, share)) + share
        if self._free_at > now:
            self._clock.sleep(timedelta(seconds=self._free_at - now))
            self._since += self._clock.monotonic() - now
