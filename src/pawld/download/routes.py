"""The way through several locations: which comes next after a fault, and what is said when none is left."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from enum import Enum
from urllib.parse import urlsplit

from pawld.download.mirrors import Mirrors
from pawld.download.ways import place_of
from pawld.errors import OperatorError, PawldError, TransientError
from pawld.model import Location
from pawld.reasons import Cause, Reason

ATTEMPTS = 3  # at one location, in one download
_SHOWN = 6  # faults that the final sentence names


class Then(Enum):
    """What a fault means for its location."""

    AGAIN = "again"  # there is something to go on from: the same one, now
    ONCE_MORE = "once_more"  # asked in another way it may work; a second such fault is the last
    LATER = "later"  # the others first
    NEVER = "never"  # not in this download


_ATTEMPTS = {Then.AGAIN: ATTEMPTS, Then.ONCE_MORE: 2, Then.LATER: ATTEMPTS, Then.NEVER: 0}


class Routes:
    """Yields locations until one is good enough to stop, or none is left; then ``verdict`` is the error."""

    def __init__(self, locations: Sequence[Location], mirrors: Mirrors) -> None:
        self._left = deque(locations)
        self._tried: Counter[str] = Counter()
        self._mirrors = mirrors
        self._faults: list[tuple[Location, PawldError]] = []

    def __iter__(self) -> Iterator[Location]:
        while self._left:
            yield self._left[0]

    def failed(self, location: Location, fault: PawldError, then: Then = Then.NEVER) -> None:
        """Note *fault* and move on; one that is this host's own is raised, since no other location mends it."""
        if fault.reason.cause is Cause.HOST:
            raise fault
        self._faults.append((location, fault))
        self._left.popleft()
        self._tried[place_of(location)] += 1
        if self._tried[place_of(location)] >= _ATTEMPTS[then]:
            self._mirrors.rest(location, fault)
        elif then is Then.LATER:
            self._left.append(location)
        else:
            self._left.appendleft(location)

    def verdict(self) -> PawldError:
        """Return one error for all: the hopeful one of the sources counts, and every place that failed is named."""
        if not self._faults:
            return TransientError(Reason.NO_ADDRESS, "There is no location to download this build from.")
        main = _main([fault for place, fault in self._faults if not place.mirror] or [self._faults[0][1]])
        others = dict.fromkeys(f"{_host(place)}: {fault.reason.code}" for place, fault in self._faults)
        if len(others) > 1:
            told = "; ".join(list(others)[:_SHOWN])
            return type(main)(main.reason, f"{main.message} Tried: {told}.", retry_after=main.retry_after)
        return main


def _main(faults: Sequence[PawldError]) -> PawldError:
    """What may pass by itself outweighs what a person must mend, and that outweighs a refusal."""
    for kind in (TransientError, OperatorError):
        for fault in reversed(faults):
            if isinstance(fault, kind):
                return fault
    return faults[-1]


def _host(location: Location) -> str:
    return urlsplit(location.via or location.url).netloc
