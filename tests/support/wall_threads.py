"""Walls that are none: each child is a thread of this process, and does what the real one does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from pawld.system.http.behind_walls import serve
from pawld.system.walls import BrokenChannelError, Channel, reader_failed


class Noting(Channel):
    """Remembers all that it is told."""

    heard = b""

    def receive(self) -> tuple[bytes, memoryview]:
        kind, content = super().receive()
        self.heard += bytes(content)
        return kind, content


class Thread:
    """A child that is a thread of this process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        self.noting = Noting(theirs)
        self.ended = self.seen = False
        self._thread = threading.Thread(target=self._serve, args=(self.noting,))
        self._thread.start()

    @contextmanager
    def faults(self) -> Iterator[None]:
        try:
            yield
        except BrokenChannelError as error:
            raise reader_failed("talks to servers", str(error)) from error

    def look(self) -> None:
        self.seen = True

    def end(self) -> None:
        self.channel.close()
        self._thread.join()
        self.ended = True

    @staticmethod
    def _serve(channel: Channel) -> None:
        with closing(channel), suppress(BrokenChannelError):
            serve(channel)


class Threads:
    """Walls that are none."""

    def __init__(self) -> None:
        self.started: list[Thread] = []
        self.slow = 0.0  # seconds that each takes to start

    def begin(self, *_: object) -> Thread:
        time.sleep(self.slow)
        self.started.append(Thread())
        return self.started[-1]
