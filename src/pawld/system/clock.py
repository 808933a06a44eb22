"""The real clock. Everything else takes a ``Clock`` as an argument, so that no test sleeps."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The clock of this host."""

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never fall; they may stand still while the host sleeps."""
        return time.monotonic()

    def sleep(self, duration: timedelta) -> None:
        """Wait; a negative duration is none."""
        time.sleep(max(0.0, duration.total_seconds()))
