"""The parent's side of the child that applies differences, and whether this host has an engine at all."""

import subprocess
import sys
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from importlib.util import find_spec
from itertools import chain
from types import TracebackType
from typing import IO, Self

from pawld.errors import TransientError
from pawld.install.patching.child import DONE, REQUEST
from pawld.reasons import Reason
from pawld.system.process import inherited
from pawld.system.walls import Walls, bare_environment
from pawld.system.walls.channel import READY
from pawld.system.words import printable

ENGINE = "hdiffpatch"
MODULE = "pawld.install.patching.child"
LONGEST = timedelta(minutes=15)  # for one patch
_LAST = timedelta(seconds=20)  # for a process to be gone that was killed
_BLOCK = 256 * 1024  # bytes
_WORDS = 300  # characters of what the child last said


def engines() -> Collection[str]:
    """Return the engines that this host can apply; none in a frozen pawld, nor where the wheel was not installed."""
    usable = not getattr(sys, "frozen", False) and find_spec(ENGINE) is not None
    return frozenset({ENGINE}) if usable else frozenset()


def failed(why: str) -> TransientError:
    """Return what is wrong with a patch, or with applying it: the build itself is not to blame."""
    return TransientError(Reason.PATCH_FAILED, f"The patch cannot be used: {why}.")


class Engine:
    """One child for one patch; it is killed when the block ends or *longest* has passed.

    It works behind *walls*, where there are any.
    """

    def __init__(self, longest: timedelta = LONGEST, walls: Walls | None = None) -> None:
        self._longest = longest
        self._walls = walls

    def __enter__(self) -> Self:
        command = [sys.executable, "-I", "-B", "-m", MODULE] if self._walls is None else self._walls.words(MODULE)
        environment = inherited() if self._walls is None else bare_environment()
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        except OSError as error:
            raise failed(f"its child process does not start: {error.strerror or error}") from error
        self._watch = threading.Timer(self._longest.total_seconds(), self._kill)
        self._watch.daemon = True
        self._watch.start()
        if self._walls is not None:
            self._see(self._walls)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._kill()
        with suppress(OSError):
            self._pipe(self._process.stdin).close()
        with suppress(subprocess.TimeoutExpired):  # one that waits for a dead disk is left
            self._process.wait((self._longest + _LAST).total_seconds())
        self._watch.cancel()
        self._pipe(self._process.stdout).close()
        self._pipe(self._process.stderr).close()

    def applied(
        self, window: int, old: Iterable[bytes], difference: int, blocks: Iterable[bytes], length: int
    ) -> Iterator[bytes]:
        """Yield the *length* bytes that *difference* bytes of *blocks* make out of *window* bytes of *old*.

        ``TransientError`` (patch_failed) where the child refuses, dies, or is killed by its limits.
        """
        answers = self._pipe(self._process.stdout)
        for part in chain([REQUEST.pack(window, difference, length)], old, blocks):
            self._send(part)
        self._send(b"")
        if answers.read(1) != DONE:
            raise self._told()
        while length:
            block = answers.read(min(length, _BLOCK))
            if not block:
                raise self._told()
            length -= len(block)
            yield block

    def _see(self, walls: Walls) -> None:
        """Look whether it has given up everything, before it is sent anything."""
        ready = self._pipe(self._process.stdout).read(1) == READY
        held = walls.still_held(self._process.pid) if ready else ""
        if not ready or held:
            error = failed(f"its child process still has {held}") if held else self._told()
            self.__exit__(type(error), error, None)
            raise error

    def _send(self, part: bytes) -> None:
        """Write to the child; nothing at all is the end of what it is asked."""
        requests = self._pipe(self._process.stdin)
        try:
            if part:
                requests.write(part)
            else:
                requests.flush()
        except OSError as error:
            raise self._told() from error

    def _told(self) -> TransientError:
        """What ended the child: its last words, or the signal."""
        self._kill()
        words = self._pipe(self._process.stderr).read(64 * 1024).decode("utf-8", "replace").strip().splitlines()
        if not words:
            return failed(f"its child process ended with {self._process.wait(_LAST.total_seconds())}")
        return failed(printable(words[-1], _WORDS).rstrip("."))

    def _kill(self) -> None:
        if self._walls is None:
            self._process.kill()
        else:
            self._walls.kill(self._process)

    @staticmethod
    def _pipe(stream: "IO[bytes] | None") -> "IO[bytes]":
        assert stream is not None  # noqa: S101 - each was asked for as a pipe
        return stream
