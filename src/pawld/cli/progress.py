"""How a long step is shown: a bar on a terminal, a line now and then elsewhere, nothing for a program."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from pawld.cli.output import Manner
from pawld.ports import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_LINE_EVERY = 10.0  # seconds between two lines, where there is no terminal
_MIB = 1024 * 1024


class Silence:
    """Shows nothing: somebody reads the document at the end."""

    def start(self, step: str, total: int, done: int = 0) -> None:
        """Nothing."""

    def advance(self, count: int) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


class Lines:
    """A line at the start, every ten seconds and at the end, with bytes, rate and the time left."""

    def __init__(self, stream: TextIO, now: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._now = now
        self._step = ""
        self._total = self._done = self._begun_with = 0
        self._begun = self._told = 0.0

    def start(self, step: str, total: int, done: int = 0) -> None:
        """Tell that the step begins, and what was there before."""
        self._step, self._total, self._done, self._begun_with = step, total, done, done
        self._begun = self._told = self._now()
        kept = f", {_mib(done)} of it are there" if done else ""
        self._say(f"{step}: {_mib(total)}{kept}")

    def advance(self, count: int) -> None:
        """Count, and tell where ten seconds have passed."""
        self._done += count
        if self._now() - self._told >= _LINE_EVERY:
            self._told = self._now()
            self._say(f"{self._step}: {self._share()} of {_mib(self._total)}, {self._pace()}")

    def finish(self) -> None:
        """Tell that it is over, and how long it took."""
        self._say(f"{self._step}: done, {_mib(self._done)} in {self._now() - self._begun:.1f} s")

    def _share(self) -> str:
        return f"{100 * self._done // self._total} %" if self._total else _mib(self._done)

    def _pace(self) -> str:
        """Return the rate of this run, and from it the time left."""
        rate = (self._done - self._begun_with) / max(self._now() - self._begun, 0.001)
        left = f", {max(0, self._total - self._done) / rate:.0f} s left" if rate else ""
        return f"{_mib(int(rate))}/s{left}"

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class Terminal:
    """A bar with bytes, rate and the time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def start(self, step: str, total: int, done: int = 0) -> None:
        """Draw the bar."""
        self.finish()
        self._bar = _bar(self._stream)
        self._task = self._bar.add_task(step, total=total or None, completed=done)
        self._bar.start()

    def advance(self, count: int) -> None:
        """Move it."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def finish(self) -> None:
        """Leave it where it is."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def progress_of(manner: Manner, stream: TextIO | None = None) -> Progress:
    """Return what suits the reader of *stream* (default: stderr)."""
    stream = stream or sys.stderr
    if manner.json:
        return Silence()
    return Terminal(stream) if stream.isatty() else Lines(stream)


def _bar(stream: TextIO) -> "Bar":
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(binary_units=True),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(file=stream, force_terminal=True),
    )


def _mib(count: int) -> str:
    return f"{count / _MIB:.1f} MiB"
