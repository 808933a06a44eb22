"""The patience with one who is never silent for long, and never done.

Downloads and the readers behind walls are held to the same pace.
"""

from datetime import timedelta

SLOWEST = 512  # bytes a second, over a whole window; less is somebody who holds on to whoever waits for him
WINDOW = timedelta(seconds=60)


class Drip:
    """Told what came and how long was waited for it.

    Args:
        slowest: bytes that must come for each second of waiting, in each *window* of it.
        whole: the longest wait, all together.
    """

    def __init__(
        self, slowest: int = SLOWEST, window: timedelta = WINDOW, whole: timedelta = timedelta(days=365)
    ) -> None:
        self._slowest = slowest
        self._window = window.total_seconds()
        self._left = whole.total_seconds()
        self._count, self._waited = 0, 0.0

    def came(self, count: int, waited: float) -> str:
        """*count* bytes came after *waited* seconds; return the clause that says why no more is waited, or nothing."""
        self._count += count
        self._waited += waited
        self._left -= waited
        if self._left < 0:
            return "it took longer than it may, all together"
        if self._waited < self._window:
            return ""
        rate = self._count / self._waited
        self._count, self._waited = 0, 0.0
        return "" if rate >= self._slowest else self._told(rate)

    def _told(self, rate: float) -> str:
        return f"only {rate:.0f} bytes a second came for {self._window:g} s; at least {self._slowest} are expected"
