"""This process as a service of Windows: what the service control manager is told of it, and asks of it (pywin32).

The dispatcher has a thread of its own, since the main thread is the daemon's. There is no line of status for a person;
`pawld status` tells.
"""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pywintypes
import servicemanager
import win32service

from pawld.errors import OperatorError
from pawld.reasons import Reason

_CALLED = timedelta(seconds=30)  # within which the manager calls a process that it started
_TO_START = timedelta(minutes=3)  # the configuration is judged first
_TO_END = timedelta(minutes=6)  # a step under way is finished or recorded
_ACCEPTED = (
    win32service.SERVICE_ACCEPT_STOP | win32service.SERVICE_ACCEPT_PRESHUTDOWN | win32service.SERVICE_ACCEPT_PARAMCHANGE
)
_STOPS = (win32service.SERVICE_CONTROL_STOP, win32service.SERVICE_CONTROL_PRESHUTDOWN)
_OWN_CODE = 1066  # ERROR_SERVICE_SPECIFIC_ERROR: the code that follows is the service's own
_NOT_IMPLEMENTED = 120  # ERROR_CALL_NOT_IMPLEMENTED


class WindowsManager:
    """The manager that started this process, from ``begin`` to ``end``.

    A process that goes without ``end`` has crashed for the manager, which starts it again by its recovery settings.
    """

    watchdog: timedelta | None = None

    def __init__(self) -> None:
        self.name = ""  # of the service, once the manager has called
        self._called = threading.Event()
        self._over = threading.Event()
        self._gone = threading.Event()
        self._handle: Any = None
        self._fault = ""
        self._ending = False
        self._carry_out: Callable[[int], None] = lambda _order: None

    def begin(self) -> None:
        """Answer the manager; ``OperatorError`` where it did not start this process."""
        threading.Thread(target=self._dispatch, name="dispatcher", daemon=True).start()
        if not self._called.wait(_CALLED.total_seconds()) or self._fault:
            told = self._fault or "it did not call"
            raise OperatorError(
                Reason.USAGE, f"`pawld run --service` is for the service manager of Windows to start: {told}."
            )

    def listen(self, stop: Callable[[], None], reload: Callable[[], None]) -> None:
        """Carry out the manager's orders by these; before ``ready`` it gives none."""
        self._carry_out = lambda order: stop() if order in _STOPS else reload()

    def ready(self, status: str) -> None:
        """The service runs, unless its end was asked for meanwhile."""
        del status
        if not self._ending:
            self._say(win32service.SERVICE_RUNNING, accepted=_ACCEPTED)

    def status(self, status: str) -> None:
        """Nothing: Windows has no place for it."""

    def alive(self) -> None:
        """Nothing: Windows does not watch."""

    def reloading(self) -> None:
        """Nothing: a service that reads its configuration again goes on running."""

    def stopping(self, status: str) -> None:
        """The end has begun, and may take as long as the step under way."""
        del status
        self._say(win32service.SERVICE_STOP_PENDING, hint=_TO_END)

    def end(self, code: int) -> None:
        """The service has stopped, with the exit *code* of pawld; this is no crash, whatever the code."""
        error = (_OWN_CODE, code) if code else (0, 0)
        self._say(win32service.SERVICE_STOPPED, error=error)
        self._over.set()
        self._gone.wait(_CALLED.total_seconds())

    def _dispatch(self) -> None:
        try:
            servicemanager.Initialize()
            servicemanager.PrepareToHostSingle(self._hosted)
            servicemanager.StartServiceCtrlDispatcher()  # returns when the service has stopped
        except pywintypes.error as error:
            self._fault = error.strerror.rstrip(".")
            self._called.set()
        self._gone.set()

    def _hosted(self, arguments: tuple[str, ...]) -> "WindowsManager":
        """Be what servicemanager makes of its class: an object with ``SvcRun``."""
        self.name = arguments[0]
        self._handle = servicemanager.RegisterServiceCtrlHandler(arguments[0], self._hear, True)  # noqa: FBT003 - pywin32
        return self

    def SvcRun(self) -> None:  # noqa: N802 - pywin32 calls it so
        """Stay until the daemon is over: when this returns, the manager takes the service for stopped."""
        self._say(win32service.SERVICE_START_PENDING, hint=_TO_START)
        self._called.set()
        self._over.wait()

    def _hear(self, control: int, kind: int, data: object) -> int:
        del kind, data
        if control in _STOPS:
            self._ending = True
            self._say(win32service.SERVICE_STOP_PENDING, hint=_TO_END)
        elif control != win32service.SERVICE_CONTROL_PARAMCHANGE:
            return 0 if control == win32service.SERVICE_CONTROL_INTERROGATE else _NOT_IMPLEMENTED
        self._carry_out(control)
        return 0

    def _say(
        self, state: int, *, accepted: int = 0, hint: timedelta = timedelta(0), error: tuple[int, int] = (0, 0)
    ) -> None:
        milliseconds = int(hint.total_seconds() * 1000)
        own = win32service.SERVICE_WIN32_OWN_PROCESS
        win32service.SetServiceStatus(self._handle, (own, state, accepted, *error, 0, milliseconds))
