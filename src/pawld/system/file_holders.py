"""Who holds a file open on Windows, by the word of its Restart Manager (``rstrtmgr.dll``).

https://learn.microsoft.com/windows/win32/api/restartmanager. It is asked after a failure alone, and starts or stops
nothing. Where it fails or knows nobody, nobody is named.
"""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_LIBRARY = "rstrtmgr"  # by name: see windows_installer
_DONE, _MORE_DATA = 0, 234
_KEY = 33  # characters: CCH_RM_SESSION_KEY, and the end of the string
_ROOM = 8  # processes that the first question has room for
_MOST = 256  # processes that are listed at all
_TRIES = 3  # how often the list may grow between two questions
_NAMED = 3  # processes that a sentence names


class ProcessInfo(ctypes.Structure):
    """RM_PROCESS_INFO; its characters are UTF-16 units, which ``c_wchar`` is on Windows alone."""

    _fields_ = (
        ("pid", ctypes.c_uint32),
        ("started", ctypes.c_uint32 * 2),
        ("name", ctypes.c_uint16 * 256),
        ("service", ctypes.c_uint16 * 64),
        ("kind", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("session", ctypes.c_uint32),
        ("restartable", ctypes.c_int32),
    )


def holders(paths: Sequence[str], library: Any = None) -> tuple[str, ...]:
    """Name the processes that hold one of *paths* open; none on another system, or where Windows does not tell."""
    try:
        manager = library or _library()
        with _session(manager) as session:
            _register(manager, session, paths)
            return tuple(_named(one) for one in _listed(manager, session))
    except OSError:
        return ()


def told(names: Sequence[str]) -> str:
    """Return the names as part of a sentence."""
    shown = [*names[:_NAMED], *([f"{len(names) - _NAMED} more"] if len(names) > _NAMED else [])]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if shown[1:] else shown)


def _library() -> Any:
    if sys.platform != "win32":
        raise OSError("there is no Restart Manager here")
    return ctypes.WinDLL(_LIBRARY)  # pragma: no cover - runs under Wine, where no coverage is taken


@contextmanager
def _session(manager: Any) -> Iterator[ctypes.c_uint32]:
    session, key = ctypes.c_uint32(), (ctypes.c_uint16 * _KEY)()
    _must(manager.RmStartSession(ctypes.byref(session), 0, key))
    try:
        yield session
    finally:
        manager.RmEndSession(session)


def _register(manager: Any, session: ctypes.c_uint32, paths: Sequence[str]) -> None:
    names = (ctypes.c_wchar_p * len(paths))(*paths)
    _must(manager.RmRegisterResources(session, len(paths), names, 0, None, 0, None))


def _listed(manager: Any, session: ctypes.c_uint32) -> Sequence[ProcessInfo]:
    room = _ROOM
    for _ in range(_TRIES):
        found = (ProcessInfo * room)()
        needed, given, reboot = ctypes.c_uint32(), ctypes.c_uint32(room), ctypes.c_uint32()
        refs = (ctypes.byref(needed), ctypes.byref(given), found, ctypes.byref(reboot))
        ended = manager.RmGetList(session, *refs)
        if ended != _MORE_DATA:
            _must(ended)
            return found[: min(given.value, room)]
        room = min(max(needed.value, room), _MOST)
    return ()


def _named(info: ProcessInfo) -> str:
    name, service = _text(info.name), _text(info.service)
    return f"{name or 'a program'} ({f'service {service}, ' if service else ''}process {info.pid})"


def _text(units: Any) -> str:
    return bytes(units).decode("utf-16-le", errors="replace").partition("\0")[0]


def _must(ended: int) -> None:
    if ended != _DONE:
        raise OSError(ended, f"the Restart Manager answered {ended}")
