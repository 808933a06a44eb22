"""An in-memory world for the lifecycle: every port a fake, one clock that tests move, and a power that can be cut.

What survives a cut is ``disk``, the fake host and the real state database; a new ``Cycle`` is made for each start.
"""

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from pawld.errors import PawldError
from pawld.lifecycle.agent import Agent, Limits, Supply
from pawld.lifecycle.blocklist import Blocklist
from pawld.lifecycle.cycle import Cycle, Insistence, Outcome, Patience
from pawld.lifecycle.database import open_database
from pawld.lifecycle.explain import Asked
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.ledger import Ledger
from pawld.lifecycle.operate import Operation
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.swap import Swap
from pawld.model import Location, NoBuild, Offer, Patch, Pinned, Platform, Question, Record, Slot
from pawld.ports import (
    Answer,
    Downloaded,
    Event,
    Finding,
    Healthy,
    Open,
    Pin,
    Reporter,
    ServiceStatus,
    Sick,
    Verified,
    VerifiedPatch,
)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LINUX = Platform("linux", "x86_64")


class PowerCut(BaseException):
    """Derives from BaseException, so that no handler can swallow it."""


def record_of(version: str, sequence: int, **changes: object) -> Record:
    """A plain record; *changes* replace fields."""
    plain = Record(
        product="acme",
        channel="stable",
        platform=LINUX,
        version=version,
        sequence=sequence,
        length=100,
        sha256=f"{sequence:064x}",
        filename=f"acme-{version}.tar.gz",
        format="tar.gz",
    )
    return replace(plain, **changes)


class FakeClock:
    """A clock that moves when somebody sleeps, and when a test says so."""

    def __init__(self) -> None:
        self.wall = START
        self.ticks = 0.0
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, duration: timedelta) -> None:
        self.wall += duration
        self.ticks += duration.total_seconds()
        self.on_sleep()


class FakeVerified(Verified):
    def __init__(self, record: Record) -> None:
        self.record = record

    def seekable(self) -> BinaryIO:
        return io.BytesIO()

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        yield io.BytesIO()

    def confirm(self) -> None:
        return None


class FakeVerifiedPatch(VerifiedPatch):
    def __init__(self, record: Record, patch: Patch) -> None:
        self.record = record
        self.patch = patch

    def seekable(self) -> BinaryIO:
        return io.BytesIO()

    def confirm(self, files: object, directories: object) -> None:
        del files, directories


@dataclass
class Gatekeeper:
    """A gate whose answers a test writes."""

    answers: list[Answer] = field(default_factory=list)
    name: str = "gate"
    max_deferral: timedelta = timedelta(days=14)
    released: int = 0

    def check(self, now: datetime) -> Answer:
        del now
        return self.answers.pop(0) if len(self.answers) > 1 else (self.answers or [Open()])[0]

    def release(self) -> None:
        self.released += 1


@dataclass
class Doctor:
    """A health check whose findings depend on the version."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    name: str = "doctor"
    every: timedelta = timedelta(seconds=10)
    looks: int = 0

    def begin(self) -> None:
        return None

    def check(self, slot: Slot) -> Finding:
        self.looks += 1
        left = self.findings.get(slot.version, [Healthy()])
        return left.pop(0) if len(left) > 1 else left[0]


class World:
    """One host, one channel, one agent."""

    def __init__(self, tmp_path: Path, *, limits: Limits | None = None) -> None:
        self.tmp_path = tmp_path
        self.clock = FakeClock()
        self.records: dict[str, Record] = {}
        self.newest = ""
        self.offer: Offer | NoBuild | None = None
        self.order: Pinned | None = None
        self.pin: Pin | None = None
        self.listeners: list[Reporter] = []
        self.failures: dict[str, list[PawldError]] = {}
        self.slots_on_disk: list[Slot] = []
        self.damaged: set[str] = set()
        self.engines: set[str] = {"hdiffpatch"}
        self.pointer: str | None = None
        self.running: str | None = None
        self.armed: list[str] = []
        self.gates: list[Gatekeeper] = []
        self.windows: list[Gatekeeper] = []
        self.doctor = Doctor()
        self.watched, self.failing = True, False
        self.limits = limits or Limits()
        self.events: list[Event] = []
        self.acts: list[str] = []
        self.cut_at: int | None = None
        self.invariant: Callable[[], None] = lambda: None

    # What a test says of the world.

    def publish(self, version: str, sequence: int, **changes: object) -> Record:
        record = record_of(version, sequence, **changes)
        self.records[version] = record
        self.newest = version
        return record

    def fail(self, act: str, *errors: PawldError) -> None:
        """The next times that *act* is done, these are raised."""
        self.failures.setdefault(act, []).extend(errors)

    def sicken(self, version: str) -> None:
        self.doctor.findings[version] = [Sick("no answer on port 1")]

    @property
    def installed(self) -> str | None:
        return next((one.version for one in self.slots_on_disk if one.name == self.pointer), None)

    # What a start of pawld does.

    def update(self, patience: Patience = Patience.WAIT, insistence: Insistence = Insistence.NONE) -> Outcome:
        with self._ledger() as ledger:
            return Cycle(self.agent, self.supply, ledger, self).update(patience, insistence)

    def check(self) -> Outcome:
        with self._ledger() as ledger:
            return Cycle(self.agent, self.supply, ledger, self).check()

    def explain(self, asked: Asked) -> Outcome:
        with self._ledger() as ledger:
            return Cycle(self.agent, self.supply, ledger, self).explain(asked)

    def recover(self) -> Sequence[str]:
        with self._ledger() as ledger, Swap(self.agent, ledger).never_left_stopped():
            return Recovery(self.agent, ledger).run()

    def roll_back(self) -> None:
        with self._ledger() as ledger:
            Operation(self.agent, ledger).roll_back()

    @contextmanager
    def _ledger(self) -> Iterator[Ledger]:
        database = open_database(self.tmp_path / "state" / "pawld.db", self.clock.now())
        try:
            yield Ledger(
                "acme", _CutJournal(database, self), Blocklist(database, "acme"), self.clock, [self, *self.listeners]
            )
        finally:
            database.close()

    @property
    def agent(self) -> Agent:
        return Agent(
            name="acme",
            installer=_Disk(self),
            service=_Manager(self),
            clock=self.clock,
            evidence=self.tmp_path / "evidence",
            health=[self.doctor] if self.watched else [],
            windows=self.windows,
            gates=self.gates,
            limits=self.limits,
        )

    @property
    def supply(self) -> Supply:
        return Supply(
            product="acme",
            channel="stable",
            platform=LINUX,
            host_id="host-1",
            updater="0.1.0",
            source=self,
            trust=self,
            mover=self,
            preflight=lambda _path, _needed: self.act("preflight"),
            downloads=self.tmp_path,
            pin=self.pin or (self if self.order is not None else None),
        )

    def act(self, name: str) -> None:
        """Something is about to be done: it may fail, and the power may be cut before it."""
        self.invariant()
        if self.cut_at is not None and len(self.acts) >= self.cut_at:
            raise PowerCut(name)
        self.acts.append(name)
        if self.failures.get(name):
            raise self.failures[name].pop(0)

    # Pin, Source, Trust, Mover, Progress and Reporter.

    def wanted(self, platform: Platform) -> Pinned | None:
        del platform
        return self.order

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        del channel, platform
        self.act("describe")
        return self.offer or Offer(version or self.newest)

    def locate(self, record: Record) -> Sequence[Location]:
        return [Location(f"https://downloads.example/{record.filename}")]

    def record(self, question: Question) -> Record | NoBuild:
        self.act("record")
        return self.records.get(question.version or self.newest, NoBuild("There is no such record."))

    def prove(self, record: Record, downloaded: Downloaded) -> Verified:
        del downloaded
        self.act("prove")
        return FakeVerified(record)

    def prove_chunks(self, record: Record, chunks: object, path: Path, listing: object = None) -> Verified:
        del chunks, path
        self.act("prove_chunks" if listing is None else "prove_chunks, with a list")
        return FakeVerified(record)

    def prove_patch(self, record: Record, patch: Patch, downloaded: Downloaded) -> VerifiedPatch:
        del downloaded
        self.act("prove_patch")
        return FakeVerifiedPatch(record, patch)

    def fetch(self, record: Record, locations: object, partial: Path, progress: object) -> Downloaded:
        del record, locations, progress
        self.act("fetch")
        partial.write_bytes(b"bytes")
        return Downloaded(io.BytesIO(), partial, "https://downloads.example")

    def report(self, event: Event) -> None:
        self.events.append(event)


class _CutJournal(Journal):
    """The real journal; the power may be cut before each move."""

    def __init__(self, database: object, world: World) -> None:
        super().__init__(database, "acme")
        self._world = world

    def move(self, new: object, event: Event) -> None:
        self._world.act(f"journal {event.state}")
        super().move(new, event)


class _Disk:
    """The installer, in memory."""

    def __init__(self, world: World) -> None:
        self.world = world

    def current(self) -> Slot | None:
        return next((one for one in self.world.slots_on_disk if one.name == self.world.pointer), None)

    def slots(self) -> Sequence[Slot]:
        return sorted(self.world.slots_on_disk, key=lambda one: -one.sequence)

    def space_needed(self, record: Record) -> int:
        return record.length

    def engines(self) -> Collection[str]:
        return self.world.engines

    def stage_patched(self, patch: VerifiedPatch, base: Slot, progress: object) -> Slot:
        del progress
        self.world.act(f"stage_patched from {base.version}")
        return self._staged(patch.record)

    def stage(self, build: Verified, progress: object) -> Slot:
        del progress
        self.world.act("stage")
        return self._staged(build.record)

    def _staged(self, record: Record) -> Slot:
        slot = Slot(Path(record.slot_name), record.version, record.sha256, record.sequence)
        self.world.damaged.discard(slot.name)
        if slot not in self.world.slots_on_disk:
            self.world.slots_on_disk.append(slot)
        return slot

    def intact(self, slot: Slot) -> bool:
        return slot.name not in self.world.damaged

    def activate(self, slot: Slot) -> None:
        self.world.act("activate")
        self.world.pointer = slot.name

    def pointing_command(self, slot: Slot) -> Sequence[str]:
        return ["point", slot.name]

    def sweep(self, keep: Sequence[str]) -> int:
        self.world.act("sweep")
        gone = [one for one in self.world.slots_on_disk if one.name not in {*keep, self.world.pointer}]
        self.world.slots_on_disk = [one for one in self.world.slots_on_disk if one not in gone]
        return 100 * len(gone)


class _Manager:
    """The service manager, in memory: it runs what ``current`` led to when it was started."""

    def __init__(self, world: World) -> None:
        self.world = world

    def status(self) -> ServiceStatus:
        return ServiceStatus(running=self.world.running is not None, failing=self.world.failing, pid=1)

    def stop(self) -> None:
        self.world.act("stop")
        self.world.running = None

    def start(self, slot: Slot) -> None:
        self.world.act(f"start {slot.version}")
        self.world.running = slot.version

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        del deadline
        self.world.act("arm")
        self.world.armed = list(rollback)

    def disarm(self) -> None:
        self.world.act("disarm")
        self.world.armed = []

    def evidence(self, since: datetime) -> str:
        return f"log since {since}"
