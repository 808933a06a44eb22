"""The Windows service control manager, by its own functions (advapi32): states as numbers, in no language.

Nothing here decides anything; ``service.windows`` does. On another system only the types are of use.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pawld.system.liveness import lives
from pawld.values import dataclass

STOPPED, START_PENDING, STOP_PENDING, RUNNING = 1, 2, 3, 4
AUTOMATIC, DISABLED = 2, 4  # start types; 3 is by hand

NOT_ACTIVE = 1062
NOT_NOW = 1061  # it is about to start or to stop
ALREADY_RUNNING = 1056
NO_SUCH_SERVICE = 1060

_CONNECT = 0x0001
_CHANGE_CONFIG, _QUERY, _START, _STOP = 0x0002, 0x0001 | 0x0004, 0x0010, 0x0020
_NO_CHANGE = 0xFFFFFFFF
_CONTROL_STOP = 1
_STATUS_WORDS = 9  # DWORDs of SERVICE_STATUS_PROCESS
_KIND, _STATE, _PROCESS = 0, 1, 7  # places among them
_OWN_PROCESS = 0x10  # SERVICE_WIN32_OWN_PROCESS


@dataclass(frozen=True, slots=True)
class Seen:
    """What the manager says of a service: its state, its process (0 for none), start type and command line."""

    state: int
    pid: int
    start_type: int
    command_line: str


class Services(Protocol):
    """The manager. Every call raises ``OSError`` with the ``winerror`` of Windows."""

    def query(self, name: str) -> Seen:
        """Return what is known of the service."""

    def point(self, name: str, command_line: str) -> None:
        """Have the service start this from now on."""

    def start(self, name: str) -> None:
        """Ask the service to start."""

    def stop(self, name: str) -> None:
        """Ask the service to stop."""

    def kill(self, name: str) -> None:
        """End the process of the service at once; one that several services share stays."""


class HostServices:  # pragma: no cover - runs under Wine, where no coverage is taken
    """The manager of this host."""

    def __init__(self) -> None:
        if sys.platform != "win32":
            raise OSError("there is no service control manager here")
        self._api: Any = ctypes.WinDLL("advapi32", use_last_error=True)
        for function in ("OpenSCManagerW", "OpenServiceW"):
            getattr(self._api, function).restype = ctypes.c_void_p

    def query(self, name: str) -> Seen:
        """Ask for the status with its process, then for the configuration."""
        with self._opened(name, _QUERY) as service:
            status, needed = (ctypes.c_uint32 * _STATUS_WORDS)(), ctypes.c_uint32()
            size = ctypes.sizeof(status)
            self._must(self._api.QueryServiceStatusEx(service, 0, ctypes.byref(status), size, ctypes.byref(needed)))
            buffer = ctypes.create_string_buffer(8192)  # bytes; the documented maximum
            self._must(self._api.QueryServiceConfigW(service, buffer, len(buffer), ctypes.byref(needed)))
            config = _Config.from_buffer(buffer)
            # Windows calls a service stopped whose process died; Wine does not.
            died = status[_PROCESS] != 0 and not lives(status[_PROCESS])
            state, pid = (STOPPED, 0) if died else (status[_STATE], status[_PROCESS])
            return Seen(state, pid, config.start_type, config.binary_path or "")

    def point(self, name: str, command_line: str) -> None:
        """Change the command line alone."""
        keep = ctypes.c_uint32(_NO_CHANGE)
        with self._opened(name, _CHANGE_CONFIG) as service:
            line = ctypes.c_wchar_p(command_line)
            self._must(
                self._api.ChangeServiceConfigW(service, keep, keep, keep, line, None, None, None, None, None, None)
            )

    def start(self, name: str) -> None:
        """Start it without arguments; returns while it starts."""
        with self._opened(name, _START) as service:
            self._must(self._api.StartServiceW(service, 0, None))

    def stop(self, name: str) -> None:
        """Send it the control to stop; returns while it stops."""
        with self._opened(name, _STOP) as service:
            status = (ctypes.c_uint32 * 7)()
            self._must(self._api.ControlService(service, _CONTROL_STOP, ctypes.byref(status)))

    def kill(self, name: str) -> None:
        """Terminate it by its number, as the manager says it."""
        with self._opened(name, _QUERY) as service:
            status, needed = (ctypes.c_uint32 * _STATUS_WORDS)(), ctypes.c_uint32()
            size = ctypes.sizeof(status)
            self._must(self._api.QueryServiceStatusEx(service, 0, ctypes.byref(status), size, ctypes.byref(needed)))
        if status[_KIND] & _OWN_PROCESS and lives(status[_PROCESS]):
            os.kill(status[_PROCESS], signal.SIGTERM)  # TerminateProcess, on Windows

    @contextmanager
    def _opened(self, name: str, access: int) -> Iterator[ctypes.c_void_p]:
        manager = ctypes.c_void_p(self._must(self._api.OpenSCManagerW(None, None, _CONNECT)))
        try:
            service = ctypes.c_void_p(self._must(self._api.OpenServiceW(manager, ctypes.c_wchar_p(name), access)))
            try:
                yield service
            finally:
                self._api.CloseServiceHandle(service)
        finally:
            self._api.CloseServiceHandle(manager)

    def _must(self, answer: Any) -> Any:
        if sys.platform == "win32" and not answer:
            raise ctypes.WinError(ctypes.get_last_error())
        return answer


class _Config(ctypes.Structure):
    """The head of QUERY_SERVICE_CONFIGW."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("start_type", ctypes.c_uint32),
        ("error_control", ctypes.c_uint32),
        ("binary_path", ctypes.c_wchar_p),
    )
