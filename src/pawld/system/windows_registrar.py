"""Services of Windows made, described and deleted (pywin32), and a directory closed to all but its administrators.

What controls one that is there is in ``windows_services``.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

EXISTS = 1073  # ERROR_SERVICE_EXISTS
NO_SUCH_SETTING = 124  # ERROR_INVALID_LEVEL: Wine has neither recovery settings nor a delayed start
# Nothing is inherited, since ProgramData lets every user make files; and who made it before us owns it no longer.
_CLOSED = "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"


class Registrar(Protocol):
    """Makes and deletes services. Every call raises ``OSError`` with the ``winerror`` of Windows."""

    def create(self, name: str, command_line: str) -> None:
        """Make a service of its own process that starts at boot, as SYSTEM."""

    def change(self, name: str, command_line: str) -> None:
        """Have one that is there start this, at every boot."""

    def describe(self, name: str, text: str) -> None:
        """Say what it is for."""

    def delay(self, name: str) -> None:
        """Have it start after what the host needs first."""

    def recover(self, name: str, delays: Sequence[timedelta], forget: timedelta) -> None:
        """Have it started again when it dies, after these delays, the last one for all later ones."""

    def recovers(self, name: str) -> bool:
        """Say whether anything at all is done when it dies."""

    def delete(self, name: str) -> None:
        """Forget it."""

    def close(self, directory: Path) -> None:
        """Let SYSTEM and administrators alone into *directory*."""


class HostRegistrar:  # pragma: no cover - runs under Wine, where no coverage is taken
    """The service manager of this host."""

    def __init__(self) -> None:
        if sys.platform != "win32":
            raise OSError("there is no service control manager here")
        import win32service  # noqa: PLC0415 - Windows alone has it

        self._api: Any = win32service

    def create(self, name: str, command_line: str) -> None:
        """Make it."""
        api = self._api
        with self._manager(api.SC_MANAGER_CREATE_SERVICE) as manager:
            kind = (api.SERVICE_WIN32_OWN_PROCESS, api.SERVICE_AUTO_START, api.SERVICE_ERROR_NORMAL)
            nothing = (None, 0, None, None, None)
            made = api.CreateService(manager, name, name, api.SERVICE_ALL_ACCESS, *kind, command_line, *nothing)
            api.CloseServiceHandle(made)

    def change(self, name: str, command_line: str) -> None:
        """Change command line and start type, and nothing else."""
        keep = self._api.SERVICE_NO_CHANGE
        with self._opened(name) as service:
            start = self._api.SERVICE_AUTO_START
            self._api.ChangeServiceConfig(service, keep, start, keep, command_line, None, 0, None, None, None, None)

    def describe(self, name: str, text: str) -> None:
        """Set the description."""
        self._set(name, self._api.SERVICE_CONFIG_DESCRIPTION, text)

    def delay(self, name: str) -> None:
        """Set the flag of the delayed start."""
        self._set(name, self._api.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, True)  # noqa: FBT003 - pywin32's own form

    def recover(self, name: str, delays: Sequence[timedelta], forget: timedelta) -> None:
        """Set the actions; an end with an error code, which pawld reports by itself, is no failure to them."""
        actions = [(self._api.SC_ACTION_RESTART, int(one.total_seconds() * 1000)) for one in delays]
        settings = {"ResetPeriod": int(forget.total_seconds()), "RebootMsg": "", "Command": "", "Actions": actions}
        self._set(name, self._api.SERVICE_CONFIG_FAILURE_ACTIONS, settings)

    def recovers(self, name: str) -> bool:
        """Ask for the actions."""
        with self._opened(name) as service:
            found = self._api.QueryServiceConfig2(service, self._api.SERVICE_CONFIG_FAILURE_ACTIONS)
            return bool(found and found["Actions"])

    def delete(self, name: str) -> None:
        """Mark it deleted; it is gone as soon as nobody holds it open."""
        with self._opened(name) as service:
            self._api.DeleteService(service)

    def close(self, directory: Path) -> None:
        """Replace its owner and its access list, and what is inside inherits that."""
        import win32security  # noqa: PLC0415 - as above

        with _as_os_errors():
            wanted = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(_CLOSED, 1)
            kinds = win32security.DACL_SECURITY_INFORMATION | win32security.PROTECTED_DACL_SECURITY_INFORMATION
            kinds |= win32security.OWNER_SECURITY_INFORMATION
            owner, access = wanted.GetSecurityDescriptorOwner(), wanted.GetSecurityDescriptorDacl()
            win32security.SetNamedSecurityInfo(
                str(directory), win32security.SE_FILE_OBJECT, kinds, owner, None, access, None
            )

    def _set(self, name: str, level: int, value: Any) -> None:
        with self._opened(name) as service:
            self._api.ChangeServiceConfig2(service, level, value)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        with self._manager(self._api.SC_MANAGER_CONNECT) as manager:
            service = self._api.OpenService(manager, name, self._api.SERVICE_ALL_ACCESS)
            try:
                yield service
            finally:
                self._api.CloseServiceHandle(service)

    @contextmanager
    def _manager(self, access: int) -> Iterator[Any]:
        with _as_os_errors():
            manager = self._api.OpenSCManager(None, None, access)
            try:
                yield manager
            finally:
                self._api.CloseServiceHandle(manager)


@contextmanager
def _as_os_errors() -> Iterator[None]:  # pragma: no cover - as above
    """Turn pywin32's errors, which are no ``OSError``, into that."""
    import pywintypes  # noqa: PLC0415 - as above

    try:
        yield
    except pywintypes.error as error:
        raise OSError(0, error.strerror, None, error.winerror) from error
