"""Whether a process lives, by its number."""

import os
import sys

_QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_STILL_ACTIVE = 259
_ACCESS_DENIED = 5
_LARGEST = 2**31 - 1  # of a pid_t; what a damaged file says may be more


def lives(pid: int) -> bool:
    """Say whether there is such a process, though it be another user's."""
    if not 0 < pid <= _LARGEST:
        return False
    if sys.platform == "win32":
        return _lives_on_windows(pid)  # there, os.kill(pid, 0) would send it Ctrl-C
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True


def _lives_on_windows(pid: int) -> bool:  # pragma: no cover - runs under Wine, where no coverage is taken
    if sys.platform != "win32":
        return False
    import ctypes  # noqa: PLC0415 - on Windows alone

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(_QUERY, 0, pid)
    if not handle:
        return ctypes.get_last_error() == _ACCESS_DENIED
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return code.value == _STILL_ACTIVE
