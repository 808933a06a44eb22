"""What is rehearsed, in order: the disk, an update, a sick one, the dead man's switch. Each says whether it held."""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pawld.drill.ground import AGENT, Ground
from pawld.drill.program import Build
from pawld.errors import PawldError
from pawld.install.pointer import LinkPointer
from pawld.install.shelf import Shelf
from pawld.lifecycle.cycle import Outcome
from pawld.lifecycle.silence import Silence
from pawld.reasons import Reason
from pawld.values import dataclass
from pawld.wiring.host import opened_for_change, opened_for_reading

if TYPE_CHECKING:
    from pawld.settings.models import Settings

MiB = 1024 * 1024
_BULK = 16 * MiB  # bytes written to learn the disk's speed
_SYNCS = 10
_MOVES = 100
_DEADLINE = timedelta(seconds=2)  # of the rehearsed dead man's switch
_PATIENCE = 30.0  # seconds until it must have fired and the service must run again


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One thing that was rehearsed: whether it held, and what was seen."""

    name: str
    held: bool
    detail: str
    seconds: float


class Rehearsal:
    """Everything, on one ground."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._settings: Settings | None = None

    def scenes(self) -> Iterator[Rehearsed]:
        """Rehearse in order; the rehearsed agent is stopped at the end, whatever happened."""
        try:
            yield self._timed("durable writes", self._durable_writes)
            yield self._timed("atomic pointer", self._atomic_pointer)
            yield self._timed("first install", lambda: self._updated(Build(self._ground.name, "1.0.0"), "1.0.0"))
            yield self._timed("update", lambda: self._updated(Build(self._ground.name, "1.1.0"), "1.1.0"))
            yield self._timed("rollback of a sick build", self._taken_back)
            yield self._timed("dead man's switch", self._fired)
        finally:
            self._stop()

    def _timed(self, name: str, act: Callable[[], tuple[bool, str]]) -> Rehearsed:
        started = time.monotonic()
        try:
            held, detail = act()
        except PawldError as error:
            held, detail = False, error.message
        except OSError as error:
            held, detail = False, f"{error.strerror or type(error).__name__} on {error.filename}."
        return Rehearsed(name, held, detail, round(time.monotonic() - started, 3))

    def _durable_writes(self) -> tuple[bool, str]:
        """Write and sync: many small ones for the latency of a sync, one large one for the speed."""
        file = self._ground.home / "speed"
        latencies = [_synced(file, 4096) for _ in range(_SYNCS)]
        bulk = _synced(file, _BULK)
        file.unlink()
        speed = _BULK / MiB / max(bulk, 1e-6)
        return True, f"A sync takes {statistics.median(latencies) * 1000:.1f} ms, writing {speed:.0f} MiB/s."

    def _atomic_pointer(self) -> tuple[bool, str]:
        """Move a pointer to and fro while another thread looks at it without a pause."""
        scratch = self._ground.home / "pointer"
        names = ["1-" + "a" * 12, "2-" + "b" * 12]
        for name in names:
            (scratch / "versions" / name).mkdir(parents=True)
        pointer = LinkPointer(scratch)
        pointer.move(names[0])
        done, seen = threading.Event(), {"looks": 0, "gaps": 0}

        def look() -> None:
            while not done.is_set():
                seen["looks"] += 1
                seen["gaps"] += not pointer.path.is_dir()

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            for move in range(_MOVES):
                pointer.move(names[move % 2])
        finally:
            done.set()
            watcher.join()
        return seen["gaps"] == 0, f"{_MOVES} moves, {seen['looks']} looks, {seen['gaps']} of which found no slot."

    def _updated(self, build: Build, expected: str) -> tuple[bool, str]:
        outcome = self._cycle(build)
        held = outcome.reason is Reason.UPDATED and self._stands(expected)
        return held, f"{outcome.message} It runs under {self._ground.manager}."

    def _taken_back(self) -> tuple[bool, str]:
        outcome = self._cycle(Build(self._ground.name, "1.2.0", sick=True))
        return outcome.reason is Reason.ROLLED_BACK and self._stands("1.1.0"), outcome.message

    def _fired(self) -> tuple[bool, str]:
        """Arm it, and do nothing: what a dead pawld does."""
        if self._settings is None:
            return False, "Nothing could be installed, so there was nothing to go back to."
        with opened_for_change(self._settings) as host:
            agent = host.agent(AGENT)
            slot = next((one for one in agent.installer.slots() if one.version == "1.0.0"), None)
            if slot is None:
                return False, "The first slot is gone, so there was nothing to go back to."
            agent.service.arm(_DEADLINE, agent.installer.pointing_command(slot))
            started = time.monotonic()
            try:
                while not (fired := self._stands("1.0.0")) and time.monotonic() - started < _PATIENCE:
                    time.sleep(0.1)
            finally:
                agent.service.disarm()
        took = time.monotonic() - started
        told = f"the old build ran again {took:.1f} s after it was armed for {_DEADLINE.total_seconds():g} s."
        return fired, f"{self._ground.manager}: {told}" if fired else f"It did not fire within {_PATIENCE:g} s."

    def _cycle(self, build: Build) -> Outcome:
        self._settings = self._ground.publish(build)
        with opened_for_change(self._settings) as host:
            return host.cycle(AGENT, Silence()).update()

    def _stands(self, version: str) -> bool:
        """Whether this version is current, whole, and running."""
        current = Shelf(self._ground.home / "root").current()
        if current is None or current.version != version or self._settings is None:
            return False
        with opened_for_reading(self._settings) as host:
            agent = host.agent(AGENT)
            return agent.installer.intact(current) and agent.service.status().running

    def _stop(self) -> None:
        if self._settings is not None:
            with suppress(PawldError), opened_for_reading(self._settings) as host:
                service = host.agent(AGENT).service
                service.disarm()
                service.stop()


def _synced(file: Path, size: int) -> float:
    """Write that many bytes and sync them; return the seconds that it took."""
    started = time.monotonic()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, bytes(size))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return time.monotonic() - started
