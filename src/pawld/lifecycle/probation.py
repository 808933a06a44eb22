"""Watch a new slot until it has proven itself or is confirmed sick. One bad look takes nothing back.

Time is measured by a clock that cannot jump. A check that cannot tell (DNS, a 429) speaks neither for nor against.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import field
from datetime import timedelta

from pawld.lifecycle.agent import Limits
from pawld.model import Slot
from pawld.ports import Clock, HealthCheck, Sick, Unclear
from pawld.values import dataclass

_LONGEST_NAP = timedelta(seconds=1)
_LONGEST_STEP = 60.0  # seconds; more than a check may take


@dataclass(slots=True)
class Watched:
    """What one check has found so far."""

    check: HealthCheck
    looks: deque[bool]
    last: str = ""
    due: float = 0.0
    final: bool = False  # it was looked at when probation was over

    @property
    def sick_looks(self) -> int:
        """How many of the last looks were bad."""
        return self.looks.count(False)

    @property
    def doubtful(self) -> bool:
        """The last look was bad, and it is not confirmed yet."""
        return bool(self.looks) and not self.looks[-1]


@dataclass(slots=True)
class Watch:
    """The watch over one slot; ``story`` keeps each finding that was not good, as evidence."""

    checks: Sequence[HealthCheck]
    limits: Limits
    clock: Clock
    story: list[str] = field(default_factory=list)
    _watched: float = 0.0
    _last: float = 0.0

    def verdict(self, slot: Slot) -> str | None:
        """Return None when the slot has proven itself, else the sentence that condemns it."""
        watched = [Watched(check, deque(maxlen=self.limits.looks)) for check in self.checks]
        self._last = self.clock.monotonic()
        while True:
            over = self._left() <= 0
            for one in watched:
                self._look(one, slot, over=over)
                if one.sick_looks >= self.limits.confirmed:
                    return f"Health check {one.check.name} failed {one.sick_looks} times: {one.last}"
            if over and not any(one.doubtful for one in watched):
                return None
            self._rest(watched)

    def _look(self, one: Watched, slot: Slot, *, over: bool) -> None:
        """Look where it is due, and once at the end: on a slow host the first looks may have taken all of probation."""
        now = self.clock.monotonic()
        if now < one.due and (one.final or not over):
            return
        one.final = over
        one.due = now + one.check.every.total_seconds()
        finding = one.check.check(slot)
        if isinstance(finding, Unclear):
            self.story.append(f"{one.check.name}: unclear: {finding.detail}")
            return
        healthy = not isinstance(finding, Sick)
        one.looks.append(healthy)
        if not healthy:
            one.last = finding.detail
            self.story.append(f"{one.check.name}: sick: {finding.detail}")

    def _left(self) -> float:
        """Return the seconds that the slot has yet to be watched.

        On some systems the clock runs on while the host sleeps, and nobody watches then: one step counts for a minute
        at most.
        """
        now = self.clock.monotonic()
        self._watched += min(now - self._last, _LONGEST_STEP)
        self._last = now
        return self.limits.probation.total_seconds() - self._watched

    def _rest(self, watched: Sequence[Watched]) -> None:
        """Sleep until the next look or the end of probation, whichever comes first."""
        now, left = self.clock.monotonic(), self._left()
        moments = [one.due for one in watched] + ([now + left] if left > 0 else [])
        nap = timedelta(seconds=max(0.01, min(moments, default=now) - now))
        self.clock.sleep(min(nap, _LONGEST_NAP))
