"""A release and 100,000 hosts: the real decide, rollout and schedule code under a clock that is only a number.

Run it with ``python tests/benchmarks/fleet.py``. It tells how many hosts a release hurts that fails on 5 % of them,
when its publisher halts it at a threshold, and how long a healthy one takes to reach 99 %; both are drawn in an SVG.
"""

import argparse
import heapq
import json
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pawld.lifecycle.decide import NotThis, Situation, Update, decide
from pawld.lifecycle.schedule import Last, next_look, period, place_of
from pawld.model import Blocked, Platform, RampStep, Record, Rollout, Slot
from pawld.publish.ramp import parse_ramp
from pawld.reasons import Reason

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EVERY = timedelta(hours=1)
PROBATION = timedelta(minutes=2)
REPORTED = timedelta(minutes=1)  # from the end of a probation until the publisher knows of it
DOCUMENTED = "1% 1h, 10% 6h, 100%"
OLD = Slot(Path("1.0.0"), "1.0.0", "0" * 64, 1)


@dataclass
class Release:
    """What the publisher signs, and halts once *threshold* failures were reported."""

    steps: tuple[RampStep, ...]
    failing: float
    threshold: int
    failures: int = 0
    halted_at: datetime | None = None
    record: Record = field(init=False)

    def __post_init__(self) -> None:
        self.record = Record(
            product="acme",
            channel="stable",
            platform=Platform("linux", "x86_64"),
            version="1.1.0",
            sequence=2,
            length=1,
            sha256="1" * 64,
            filename="acme.tar.zst",
            format="tar.zst",
            rollout=Rollout(start=START, steps=self.steps),
        )

    def failed(self, now: datetime) -> None:
        self.failures += 1
        if self.failures == self.threshold:
            self.halted_at = now
            self.record = replace(self.record, rollout=replace(self.record.rollout, halted=True))


@dataclass
class Host:
    """One host, with the little that it remembers."""

    name: str
    breaks: bool
    installed: Slot = OLD
    blocked: Blocked | None = None

    def look(self, release: Release, now: datetime) -> tuple[bool, Last]:
        """Decide as the updater does; return whether the release was taken, and what the schedule is told."""
        decision = decide(Situation(release.record, self.installed, now, self.name, "0.1.0", blocked=self.blocked))
        if isinstance(decision, NotThis):
            return False, Last(now, decision.reason, "idle", decision.retry_at)
        if not isinstance(decision, Update):
            return False, Last(now, decision.reason)
        record = release.record
        if self.breaks:
            lifted = "A newer release lifts it."
            self.blocked = Blocked("1.1.0", record.sha256, "health_failed", now + timedelta(days=7), lifted)
            return True, Last(now, Reason.ROLLED_BACK)
        self.installed = Slot(Path("1.1.0"), "1.1.0", record.sha256, 2)
        return True, Last(now, Reason.UPDATED)


@dataclass
class Course:
    """How it went: the moments at which hosts took the release, and those of them that it hurt."""

    taken: list[float] = field(default_factory=list)
    hurt: int = 0
    halted_after: float | None = None


def played(hosts: int, release: Release, hours: float, seed: int) -> Course:
    """Play *hours* from the start of the rollout."""
    dice = random.Random(seed)
    fleet = [Host(f"host-{number}", dice.random() < release.failing) for number in range(hosts)]
    places = [place_of(host.name) for host in fleet]
    own = [period(EVERY, place) for place in places]
    looks = [(START + dice.random() * own[number], number) for number in range(hosts)]
    heapq.heapify(looks)
    reports: list[datetime] = []
    course, end = Course(), START + timedelta(hours=hours)
    while looks[0][0] < end:
        now, number = heapq.heappop(looks)
        while reports and reports[0] <= now:
            release.failed(heapq.heappop(reports))
        host = fleet[number]
        took, last = host.look(release, now)
        if took:
            course.taken.append((now - START) / timedelta(hours=1))
            course.hurt += host.breaks
            if host.breaks:
                heapq.heappush(reports, now + PROBATION + REPORTED)
        after = now + PROBATION if took else now
        heapq.heappush(looks, (next_look(after, last, own[number], places[number], dice.random), number))
    if release.halted_at is not None:
        course.halted_after = (release.halted_at - START) / timedelta(hours=1)
    return course


def reached(course: Course, hosts: int, share: float) -> float | None:
    """Return after how many hours *share* of the hosts had it."""
    wanted = round(hosts * share)
    return course.taken[wanted - 1] if len(course.taken) >= wanted else None


def drawn(healthy: Course, sick: Course, hosts: int, hours: float) -> str:
    """Return both courses as an SVG: the share of hosts that took the release, over the hours."""
    width, height, left, top = 640, 280, 60, 20

    def line(course: Course, colour: str) -> str:
        every = max(1, len(course.taken) // 300)
        points = [(0.0, 0), *((hour, count) for count, hour in enumerate(course.taken, 1) if count % every == 0)]
        points.append((hours, len(course.taken)))
        drawn_points = " ".join(
            f"{left + hour / hours * width:.1f},{top + height * (1 - count / hosts):.1f}" for hour, count in points
        )
        return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{drawn_points}"/>'

    marks = "".join(
        f'<text x="{left + hour / hours * width:.0f}" y="{top + height + 18}" text-anchor="middle">{hour} h</text>'
        for hour in range(0, int(hours) + 1, 2)
    ) + "".join(
        f'<text x="{left - 8}" y="{top + height * (1 - share / 100) + 4:.0f}" text-anchor="end">{share} %</text>'
        for share in (0, 25, 50, 75, 100)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + left + 20}" height="{height + top + 50}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>{marks}'
        f"{line(healthy, '#2a7')}{line(sick, '#c33')}"
        f'<text x="{left + 12}" y="{top + 18}" fill="#2a7">a healthy release</text>'
        f'<text x="{left + 12}" y="{top + 34}" fill="#c33">one that fails on 5 % of the hosts, halted by its '
        f"publisher: {len(sick.taken)} took it, {sick.hurt} went back</text></svg>\n"
    )


def main() -> None:
    """Play both releases and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--hours", type=float, default=12)
    parser.add_argument("--threshold", type=int, default=20, help="reported failures at which the publisher halts")
    parser.add_argument("--seed", type=int, default=20260301)
    parser.add_argument("--svg", type=Path, default=Path(__file__).with_name("fleet.svg"))
    given = parser.parse_args()
    steps = parse_ramp(DOCUMENTED)
    sick = played(given.hosts, Release(steps, 0.05, given.threshold), given.hours, given.seed)
    healthy = played(given.hosts, Release(steps, 0.0, given.threshold), given.hours, given.seed)
    given.svg.write_text(drawn(healthy, sick, given.hosts, given.hours), encoding="utf-8")
    print(
        json.dumps(
            {
                "hosts": given.hosts,
                "ramp": DOCUMENTED,
                "seed": given.seed,
                "sick": {"took": len(sick.taken), "hurt": sick.hurt, "hurt_share": sick.hurt / given.hosts}
                | {"halted_after_hours": sick.halted_after},
                "healthy": {"hours_to_50%": reached(healthy, given.hosts, 0.5)}
                | {"hours_to_99%": reached(healthy, given.hosts, 0.99)},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
