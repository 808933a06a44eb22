"""The line between commands and the running daemon, for root and administrators alone.

A question is one line of JSON, and so is its answer. They travel over a Unix socket; on Windows over a named pipe.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

if sys.platform == "win32":
    from pawld.system import local_pipe as transport
else:
    from pawld.system import local_socket as transport

FILENAME = "pawld.sock"

Document = dict[str, Any]


class Caller:
    """Somebody on the line who waits for an answer; *send* sends it and hangs up."""

    def __init__(self, question: Document, send: Callable[[bytes], None]) -> None:
        self.question = question
        self._send = send

    def answer(self, document: Document) -> None:
        """Answer and hang up; one that is gone already is no error."""
        with suppress(OSError):
            self._send(json.dumps(document).encode() + b"\n")


class Line:
    """Listens at *path*, and hands every caller to *taken*, from a thread of its own."""

    def __init__(self, path: Path, taken: Callable[[Caller], None]) -> None:
        self._taken = taken
        self._listener = transport.Listener(path, self._hear)

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _hear(self, said: bytes, send: Callable[[bytes], None]) -> None:
        question = _document(said)
        if question is None:
            with suppress(OSError):
                send(b"")
        else:
            self._taken(Caller(question, send))


def ask(path: Path, question: Document, *, patience: timedelta | None = timedelta(seconds=5)) -> Document | None:
    """Return the daemon's answer; None where nobody answers within *patience* (None waits for the end of a cycle)."""
    try:
        return _document(transport.asked(path, json.dumps(question).encode() + b"\n", patience))
    except OSError:
        return None


def _document(said: bytes) -> Document | None:
    try:
        found = json.loads(said)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
