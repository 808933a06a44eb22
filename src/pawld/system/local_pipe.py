"""One question and one answer over a named pipe of Windows (pywin32), for administrators, SYSTEM and its owner alone.

Anybody may make a pipe of a name that is free, and be taken for us by it. So the name is made anew at each start, is
not to be guessed, and stands in a file of the state directory, which nobody else can write.
"""

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from multiprocessing.connection import PipeConnection  # type: ignore[attr-defined]  # Windows alone has it
from pathlib import Path
from typing import Any

import pywintypes
import win32con
import win32event
import win32file
import win32pipe
import win32security
import winerror

from pawld.system.files import write_durably

LIMIT = 1 << 20  # bytes of a question or an answer
_HASTE = timedelta(seconds=5)  # until a caller has asked, or a busy pipe is free
_BUFFER = 1 << 16  # bytes
_PREFIX = "\\\\.\\pipe\\pawld-"
_ACCESS = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)"  # SYSTEM, administrators and the owner; nobody else
_MODE = (
    win32pipe.PIPE_TYPE_MESSAGE
    | win32pipe.PIPE_READMODE_MESSAGE
    | win32pipe.PIPE_WAIT
    | 0x8  # PIPE_REJECT_REMOTE_CLIENTS: the network has no business here
)
_IDENTIFY = 0x00010000  # SECURITY_IDENTIFICATION: whoever answers may see who asks, and not act in our name
_FIRST = 0x00080000  # FILE_FLAG_FIRST_PIPE_INSTANCE: fails where somebody has made the pipe already

Heard = Callable[[bytes, Callable[[bytes], None]], None]
"""Takes what was said, and what sends the answer and hangs up (``OSError`` where the caller is gone)."""


class Listener:
    """Listens on a pipe whose name it writes to *path*, in a thread of its own."""

    def __init__(self, path: Path, heard: Heard) -> None:
        self._path = path
        self._heard = heard
        self._name = _PREFIX + secrets.token_hex(16)
        self._end = win32event.CreateEvent(None, True, False, None)  # noqa: FBT003 - pywin32 has no names for them
        self._next = self._made(_FIRST)
        write_durably(path, self._name.encode())
        self._thread = threading.Thread(target=self._listen, name="line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._path.unlink(missing_ok=True)
        win32event.SetEvent(self._end)
        self._thread.join(_HASTE.total_seconds())

    def _listen(self) -> None:
        while self._called():
            connection = PipeConnection(self._next.Detach())
            self._next = self._made(0)  # at once: without an instance of it the name is free for others
            self._heard(_read(connection, _HASTE), lambda answer, to=connection: _send(to, answer))  # type: ignore[misc]  # bound now
        self._next.Close()

    def _called(self) -> bool:
        """Wait for a caller; False at the end."""
        waiting = pywintypes.OVERLAPPED()
        waiting.hEvent = win32event.CreateEvent(None, True, False, None)  # noqa: FBT003 - as above
        if win32pipe.ConnectNamedPipe(self._next, waiting) == winerror.ERROR_PIPE_CONNECTED:
            return True
        first = win32event.WaitForMultipleObjects((self._end, waiting.hEvent), False, win32event.INFINITE)  # noqa: FBT003 - as above
        if first != win32event.WAIT_OBJECT_0:
            return True
        win32file.CancelIo(self._next)
        return False

    def _made(self, first: int) -> Any:
        access = win32security.SECURITY_ATTRIBUTES()
        access.SECURITY_DESCRIPTOR = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(_ACCESS, 1)
        mode = win32pipe.PIPE_ACCESS_DUPLEX | win32con.FILE_FLAG_OVERLAPPED | first
        every = win32pipe.PIPE_UNLIMITED_INSTANCES
        return win32pipe.CreateNamedPipe(self._name, mode, _MODE, every, _BUFFER, _BUFFER, 0, access)


def asked(path: Path, said: bytes, patience: timedelta | None) -> bytes:
    """Say it on the pipe that *path* names, and return the answer; ``OSError`` as with the listener."""
    connection = _dialled(path.read_text("ascii"))
    with connection:
        connection.send_bytes(said)
        if not connection.poll(None if patience is None else patience.total_seconds()):
            raise TimeoutError
        return _received(connection)


def _dialled(name: str) -> PipeConnection:
    access = win32con.GENERIC_READ | win32con.GENERIC_WRITE
    flags = win32con.FILE_FLAG_OVERLAPPED | win32con.SECURITY_SQOS_PRESENT | _IDENTIFY
    try:
        win32pipe.WaitNamedPipe(name, int(_HASTE.total_seconds() * 1000))
        handle = win32file.CreateFile(name, access, 0, None, win32con.OPEN_EXISTING, flags, None)
        win32pipe.SetNamedPipeHandleState(handle, win32pipe.PIPE_READMODE_MESSAGE, None, None)
    except pywintypes.error as error:
        raise OSError(error.winerror, error.strerror) from error
    return PipeConnection(handle.Detach())


def _read(connection: PipeConnection, patience: timedelta) -> bytes:
    """Return what was said; nothing where nothing is within *patience*."""
    with suppress(OSError, EOFError):
        if connection.poll(patience.total_seconds()):
            return _received(connection)
    return b""


def _received(connection: PipeConnection) -> bytes:
    try:
        return bytes(connection.recv_bytes(LIMIT))
    except EOFError:
        return b""


def _send(connection: PipeConnection, answer: bytes) -> None:
    with connection:
        if answer:
            connection.send_bytes(answer)
