"""One question and one answer over a Unix socket that root alone may use."""

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

LIMIT = 1 << 20  # bytes of a question or an answer
_HASTE = timedelta(seconds=5)  # until a caller has asked, or read its answer
_BACKLOG = 8

Heard = Callable[[bytes, Callable[[bytes], None]], None]
"""Takes what was said, and what sends the answer and hangs up (``OSError`` where the caller is gone)."""


class Listener:
    """Listens on a socket of the name *path*, in a thread of its own."""

    def __init__(self, path: Path, heard: Heard) -> None:
        self._path = path
        self._heard = heard
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(mask)
        self._socket.listen(_BACKLOG)
        self._thread = threading.Thread(target=self._listen, name="line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread, which a plain close would not
        self._thread.join(_HASTE.total_seconds())
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        connection.settimeout(_HASTE.total_seconds())
        try:
            said = _read(connection) if _is_ours(connection) else b""
        except OSError:
            said = b""
        self._heard(said, lambda answer: _send(connection, answer))


def asked(path: Path, said: bytes, patience: timedelta | None) -> bytes:
    """Say it at *path*, and return the answer; ``OSError`` where nobody listens, or answers within *patience*."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_HASTE.total_seconds())
        connection.connect(str(path))
        connection.sendall(said)
        connection.settimeout(None if patience is None else patience.total_seconds())
        return _read(connection)


def _read(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        return file.readline(LIMIT)


def _send(connection: socket.socket, answer: bytes) -> None:
    with connection:
        connection.sendall(answer)


def _is_ours(connection: socket.socket) -> bool:
    """Ask the kernel who calls: root, or the user that we are. The file's mode says so too, and is not relied on."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in (0, os.geteuid())
