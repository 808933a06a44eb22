"""What 100,000 hosts ask of an origin, by the real schedule code under virtual time.

    PYTHONPATH=tests python -m benchmarks.origin_load [--hosts 100000]

Peak is the busiest minute, mean is what the hosts' own periods come to; both count requests of polls and downloads.
"""

import argparse
import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pawld.lifecycle import schedule
from pawld.lifecycle.schedule import Last
from pawld.reasons import Reason

EVERY = timedelta(hours=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# A poll with nothing new: the vendor's metadata, the next root (404) and the timestamp. An update: metadata by version,
# snapshot and two targets roles, the redirect and the build. Bytes of a poll as nginx counted them, heads included.
POLL_REQUESTS, UPDATE_REQUESTS, POLL_BYTES = 3, 6, 1500


@dataclass
class Hosts:
    """Every host with its place, period and last look; a heap of who looks next."""

    count: int
    dice: Callable[[], float]
    asked: Counter[int] = field(default_factory=Counter)
    downloads: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.places = [schedule.place_of(f"host-{number}") for number in range(self.count)]
        self.periods = [schedule.period(EVERY, place) for place in self.places]
        self.last = [Last(START - own * self.dice()) for own in self.periods]
        self.failures = [0] * self.count
        self.outdated = [False] * self.count
        self.due = [(self._next(number, START), number) for number in range(self.count)]
        heapq.heapify(self.due)

    @property
    def mean(self) -> float:
        """Polls a minute, by the periods alone."""
        return sum(MINUTE / own for own in self.periods)

    def run(self, until: datetime, *, reachable: bool = True) -> None:
        """Let time pass."""
        while self.due[0][0] < until:
            now, number = self.due[0]
            self._look(number, now, reachable)
            heapq.heapreplace(self.due, (self._next(number, now), number))

    def release(self) -> None:
        """Publish a build: everybody is outdated, and finds out at the next look."""
        self.outdated = [True] * self.count

    def reboot(self, off: datetime, on: datetime) -> None:
        """Switch every host off and on again at once: each reckons anew when to look."""
        self.due = [(self._next(number, on), number) for number in range(self.count)]
        heapq.heapify(self.due)
        assert off <= on

    def _look(self, number: int, now: datetime, reachable: bool) -> None:
        minute = int((now - START) / MINUTE)
        self.asked[minute] += 1
        if not reachable:
            self.failures[number] += 1
            again = schedule.retry_at(now, self.failures[number], None)
            self.last[number] = Last(now, Reason.UNREACHABLE, "idle", again)
            return
        self.failures[number] = 0
        self.last[number] = Last(now, Reason.UP_TO_DATE)
        if self.outdated[number]:
            self.outdated[number] = False
            self.downloads[minute] += 1

    def _next(self, number: int, now: datetime) -> datetime:
        return schedule.next_look(now, self.last[number], self.periods[number], self.places[number], self.dice)


def peak(hosts: Hosts, since: datetime, until: datetime, *, loaded: bool = False) -> tuple[float, float]:
    """Return the busiest minute and the mean minute between two moments, in polls, or in requests where *loaded*."""
    first, end = int((since - START) / MINUTE), int((until - START) / MINUTE)
    minutes = range(first, end)
    if not loaded:
        return max(hosts.asked[one] for one in minutes), hosts.mean
    load = [POLL_REQUESTS * hosts.asked[one] + UPDATE_REQUESTS * hosts.downloads[one] for one in minutes]
    return max(load), sum(load) / len(load)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=100_000)
    count = parser.parse_args().hosts
    hour = timedelta(hours=1)

    def fresh() -> Hosts:
        hosts = Hosts(count, random.Random(8).random)
        hosts.run(START + 3 * hour)
        return hosts

    quiet = fresh()
    tell("nothing happens", *peak(quiet, START + hour, START + 3 * hour))
    released = fresh()
    released.release()
    released.run(START + 6 * hour)
    tell("a release, requests", *peak(released, START + 3 * hour, START + 4 * hour, loaded=True))
    tell("a release, polls", *peak(released, START + 3 * hour, START + 6 * hour))
    for length in (timedelta(minutes=20), timedelta(hours=2), timedelta(hours=8)):
        cut = fresh()
        back = START + 3 * hour + length
        cut.run(back, reachable=False)
        cut.run(back + 12 * hour)
        tell(f"the end of an outage of {length}", *peak(cut, back, back + 12 * hour))
        tell("  and what is tried while it lasts", *peak(cut, START + 3 * hour, back))
    for length in (timedelta(minutes=2), timedelta(minutes=20), timedelta(hours=8)):
        booted = fresh()
        on = START + 3 * hour + length
        booted.reboot(START + 3 * hour, on)
        booted.run(on + 6 * hour)
        tell(f"a reboot of all, {length} off", *peak(booted, on, on + 6 * hour))
    rate = quiet.mean / 60 * 1_000_000 / count
    print(
        f"10^6 hosts: {rate:.0f} polls a second, {rate * POLL_REQUESTS:.0f} small requests, "
        f"{rate * POLL_BYTES * 8 / 1e6:.1f} Mbit/s. Behind a CDN that keeps timestamp.json for a minute, the origin "
        f"serves one request a minute and point of presence for it; metadata by version and builds never change."
    )


def tell(what: str, most: float, mean: float) -> None:
    print(f"{what:44} busiest minute {most:9.0f}   mean {mean:8.0f}   ratio {most / mean:5.2f}", flush=True)


if __name__ == "__main__":
    main()
