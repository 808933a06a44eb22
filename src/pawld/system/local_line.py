"""The line between commands and the running daemon: a Unix socket that root alone may use.

A question is one line of JSON, and so is its answer. Where a system has no such sockets nobody listens, and every
command does its work itself.
"""

import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

FILENAME = "pawld.sock"
LIMIT = 1 << 20  # bytes of a question or an answer
_HASTE = timedelta(seconds=5)  # until a caller has asked, or read its answer
_BACKLOG = 8

Document = dict[str, Any]


class Caller:
    """Somebody on the line who waits for an answer."""

    def __init__(self, connection: socket.socket, question: Document) -> None:
        self.question = question
        self._connection = connection

    def answer(self, document: Document) -> None:
        """Answer and hang up; one that is gone already is no error."""
        with suppress(OSError), self._connection:
            self._connection.sendall(json.dumps(document).encode() + b"\n")


class Line:
    """Listens at *path*, and hands every caller to *taken*, from a thread of its own."""

    def __init__(self, path: Path, taken: Callable[[Caller], None]) -> None:
        self._path = path
        self._taken = taken
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
            question = _read(connection) if _is_ours(connection) else None
        except (OSError, ValueError):
            question = None
        if isinstance(question, dict):
            self._taken(Caller(connection, question))
        else:
            connection.close()


def serves() -> bool:
    """Say whether this system has such lines."""
    return hasattr(socket, "AF_UNIX")


def ask(path: Path, question: Document, *, patience: timedelta | None = timedelta(seconds=5)) -> Document | None:
    """Return the daemon's answer; None where nobody answers within *patience* (None waits for the end of a cycle)."""
    if not serves():
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_HASTE.total_seconds())
            connection.connect(str(path))
            connection.sendall(json.dumps(question).encode() + b"\n")
            connection.settimeout(None if patience is None else patience.total_seconds())
            answer = _read(connection)
    except (OSError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None


def _read(connection: socket.socket) -> Any:
    with connection.makefile("rb") as file:
        return json.loads(file.readline(LIMIT))


def _is_ours(connection: socket.socket) -> bool:
    """Ask the kernel who calls: root, or the user that we are. The file's mode says so too, and is not relied on."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in (0, os.geteuid())
