"""A service control manager of Windows in memory, with one service in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from pawld.system.windows_registrar import EXISTS, NO_SUCH_SETTING
from pawld.system.windows_services import AUTOMATIC, RUNNING, START_PENDING, STOP_PENDING, STOPPED, Seen

OLD = r'"C:\Program Files\Acme\versions\1.0.0-0123456789ab\acme.exe" --service'


def refused(code: int) -> OSError:
    error = OSError(22, "as Windows says it")
    error.winerror = code  # type: ignore[attr-defined]  # on Windows every OSError has it
    return error


@dataclass
class Manager:
    """A service control manager in memory: a start and a stop take a second of its clock."""

    seen: Seen | None = field(default_factory=lambda: Seen(STOPPED, 0, AUTOMATIC, OLD))
    becomes: int = RUNNING
    deaf: bool = False
    immortal: bool = False
    killed: bool = False
    at: float = 0.0
    due: float | None = None
    deny: int = 0
    lacks: tuple[str, ...] = ()
    pids: Iterator[int] = field(default_factory=lambda: count(77))
    told: dict[str, object] = field(default_factory=dict)

    def now(self) -> datetime:
        return datetime(2026, 1, 14, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.at += duration.total_seconds()

    def query(self, _name: str) -> Seen:
        if self.seen is None:
            raise refused(1060)
        if self.due is not None and self.at >= self.due and not self.deaf:
            started = self.seen.state == START_PENDING and self.becomes == RUNNING
            self.seen = replace(self.seen, state=RUNNING if started else STOPPED, pid=next(self.pids) if started else 0)
            self.due = None
        return self.seen

    def point(self, name: str, command_line: str) -> None:
        self.seen = replace(self.query(name), command_line=command_line)

    def create(self, _name: str, command_line: str) -> None:
        if self.seen is not None:
            raise refused(EXISTS)
        self.seen = Seen(STOPPED, 0, AUTOMATIC, command_line)

    def change(self, _name: str, command_line: str) -> None:
        assert self.seen is not None
        self.seen = replace(self.seen, command_line=command_line, start_type=AUTOMATIC)

    def delete(self, _name: str) -> None:
        if self.seen is None:
            raise refused(1060)
        self.seen = None

    def describe(self, _name: str, text: str) -> None:
        self._set("describe", text)

    def delay(self, _name: str) -> None:
        self._set("delay", "yes")

    def recovers(self, _name: str) -> bool:
        if "recover" in self.lacks:
            raise refused(NO_SUCH_SETTING)
        return "recover" in self.told

    def recover(self, _name: str, delays: Sequence[timedelta], forget: timedelta) -> None:
        self._set("recover", ([one.total_seconds() for one in delays], forget))

    def close(self, directory: Path) -> None:
        self._set("close", directory)

    def _set(self, what: str, value: object) -> None:
        if what in self.lacks:
            raise refused(NO_SUCH_SETTING)
        self.told[what] = value

    def start(self, _name: str) -> None:
        self._move(RUNNING, 1056, START_PENDING)

    def stop(self, _name: str) -> None:
        self._move(STOPPED, 1062, STOP_PENDING)

    def kill(self, _name: str) -> None:
        assert self.seen is not None
        if not self.immortal:
            self.seen, self.due, self.killed = replace(self.seen, state=STOPPED, pid=0), None, True

    def _move(self, done: int, already: int, pending: int) -> None:
        assert self.seen is not None
        if self.deny:
            raise refused(self.deny)
        if self.seen.state == done:
            raise refused(already)
        self.seen, self.due = replace(self.seen, state=pending), self.at + 1
