"""Frames over one socket: a letter that says the kind, a length, and so many bytes. Nothing in it is ever executed.

Either end takes the other for an enemy: a frame that is too long, cut off or silent for too long ends the talk.
"""

import socket
import struct
import time
from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Any

from pawld.system.drip import Drip
from pawld.system.walls.plain import BadValueError, decoded, encoded

READY, UNABLE = b"!", b"-"  # what a child says first: that it has given everything up, or cannot
LONGEST = 1024 * 1024  # bytes of one frame
_HEAD = struct.Struct(">cI")
_BLOCK = 256 * 1024  # bytes that are received at once, where they are here
_GATHERED = 64 * 1024  # bytes of small frames that are sent together


class BrokenChannelError(Exception):
    """The other end is gone, silent, or says what is no frame; the text is a phrase that says which."""


class Channel:
    """One end.

    Args:
        connection: it is closed by ``close``.
        silence: the longest wait for the other end; None waits for ever.
    """

    def __init__(self, connection: socket.socket, silence: timedelta | None = None) -> None:
        self._connection = connection
        self._gathered = bytearray()
        self._unread = memoryview(b"")
        self.wait_for(silence)

    @property
    def connection(self) -> socket.socket:
        """The socket itself, for whoever has to wake a thread that waits on it."""
        return self._connection

    def wait_for(
        self,
        longest: timedelta | None,
        excused: Callable[[], bool] = lambda: False,
        *,
        whole: timedelta | None = None,
        drip: Drip | None = None,
    ) -> None:
        """Wait no longer than this from here on; once more for as long where *excused* says so by then.

        Whatever it says meanwhile, *whole* after this call nothing more is waited for, and no longer than *drip* has
        it: that is told what comes, and for how long it was waited without an excuse.
        """
        self._silence = None if longest is None else max(0.001, longest.total_seconds())
        self._until = inf if whole is None else time.monotonic() + whole.total_seconds()
        self._connection.settimeout(self._silence)
        self._excused = excused
        self._drip = drip

    def put(self, kind: bytes, content: bytes | memoryview = b"") -> None:
        """Say it soon: together with what follows, or at the next ``send``."""
        self._gathered += _HEAD.pack(kind, len(content))
        if len(content) < _GATHERED:
            self._gathered += content
            content = b""
        if content or len(self._gathered) >= _GATHERED:
            self.flush(content)

    def send(self, kind: bytes, content: bytes | memoryview = b"") -> None:
        """Say it now."""
        self.put(kind, content)
        self.flush()

    def tell(self, kind: bytes, document: Any) -> None:
        """Say a plain value soon."""
        self.put(kind, encoded(document))

    def receive(self) -> tuple[bytes, memoryview]:
        """Return the next frame's kind and content; ``BrokenChannelError`` where none comes."""
        kind, length = _HEAD.unpack(self._exactly(_HEAD.size))
        if length > LONGEST:
            raise BrokenChannelError(f"it announced a frame of {length} bytes")
        return kind, self._exactly(length)

    def close(self) -> None:
        """Let go of the socket."""
        self._connection.close()

    def flush(self, content: bytes | memoryview = b"") -> None:
        """Say what was put off, and *content*, which belongs to it."""
        gathered, self._gathered = self._gathered, bytearray()
        try:
            self._connection.sendall(gathered)
            if content:
                self._connection.sendall(content)
        except TimeoutError as error:
            raise BrokenChannelError("it took nothing that it was sent") from error
        except OSError as error:
            raise BrokenChannelError("it went away") from error

    def _exactly(self, count: int) -> memoryview:
        if len(self._unread) < count:
            self._fill(count)
        found, self._unread = self._unread[:count], self._unread[count:]
        return found

    def _fill(self, count: int) -> None:
        """Receive until *count* bytes are here, and no more than what may come beside them for nothing."""
        buffer = bytearray(max(count, _BLOCK))
        have = len(self._unread)
        buffer[:have] = self._unread
        view = memoryview(buffer)
        while have < count:
            have += self._part(view[have:])
        self._unread = view[:have]

    def _part(self, into: memoryview) -> int:
        while True:
            self._bound()
            begun, drip = time.monotonic(), None if self._drip is None or self._excused() else self._drip
            try:
                got = self._connection.recv_into(into)
            except TimeoutError as error:
                if not self._excused():
                    raise BrokenChannelError("it was silent for too long") from error
            except OSError as error:
                raise BrokenChannelError("it went away") from error
            else:
                if not got:
                    raise BrokenChannelError("it ended before its time")
                if drip is not None and not self._excused():
                    _judge(drip, got, time.monotonic() - begun)
                return got

    def _bound(self) -> None:
        """Let the next wait end with the whole."""
        if self._until is inf:
            return
        left = self._until - time.monotonic()
        if left <= 0:
            raise BrokenChannelError("it took longer than it may")
        self._connection.settimeout(left if self._silence is None else min(left, self._silence))


def _judge(drip: Drip, count: int, waited: float) -> None:
    wrong = drip.came(count, waited)
    if wrong:
        raise BrokenChannelError(wrong)


def document_of(content: bytes | memoryview) -> Any:
    """Read the plain value that was told; ``BrokenChannelError`` where it is none."""
    try:
        return decoded(content)
    except BadValueError as error:
        raise BrokenChannelError(f"it told what is no value: {error}") from error
