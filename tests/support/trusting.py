"""What trust leans on, in memory: marks, a clock that tests set, and a policy over them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pawld.model import Platform, Question
from pawld.system.http import Web
from pawld.trust.engine import Engine
from pawld.trust.policy import Policy
from pawld.trust.tuf import TufEngine

LINUX = Platform("linux", "x86_64")
QUESTION = Question("acme", "stable", LINUX)


class MemoryMarks:
    """A mark store that forgets with the test."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], int] = {}

    def mark(self, agent: str, name: str) -> int | None:
        return self.values.get((agent, name))

    def raise_to(self, agent: str, name: str, value: int) -> None:
        self.values[agent, name] = max(value, self.values.get((agent, name), value))

    def forget(self, agent: str, name: str) -> None:
        self.values.pop((agent, name), None)


class SetClock:
    """A clock that says what it was set to."""

    def __init__(self, wall: datetime | None = None) -> None:
        self.wall = wall or datetime.now(UTC)
        self.ticks = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.ticks

    def sleep(self, duration: timedelta) -> None:
        self.wall += duration
        self.ticks += duration.total_seconds()


class Host:
    """One host: its marks, its clock, its cache, and the policy that it would be wired with."""

    def __init__(self, directory: Path, web: Web) -> None:
        self.cache = directory / "tuf" / "acme"
        self.marks = MemoryMarks()
        self.clock = SetClock()
        self.web = web

    def tuf(self, url: str, root: bytes, **options: Any) -> TufEngine:
        return TufEngine(url, root, self.cache, web=self.web, clock=self.clock, **options)

    def policy(self, *engines: Engine, **options: Any) -> Policy:
        return Policy(engines, self.marks, self.clock, "acme", **options)

    def mark(self, name: str) -> int | None:
        return self.marks.mark("acme", name)


def files_of(directory: Path) -> Sequence[str]:
    """Every file below *directory*, by name."""
    return sorted(str(one.relative_to(directory)) for one in directory.rglob("*") if not one.is_dir())
