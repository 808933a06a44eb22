"""pawld itself as a service of Windows: it starts at boot, and again when it dies."""

import subprocess
from collections.abc import Callable
from dataclasses import field
from datetime import timedelta
from pathlib import Path, PureWindowsPath

from pawld.errors import OperatorError
from pawld.model import Slot
from pawld.ports import Clock
from pawld.reasons import Reason
from pawld.service.registration import Registered, Style
from pawld.service.windows import WindowsService, translated
from pawld.system.clock import SystemClock
from pawld.system.faults import host_faults
from pawld.system.files import make_directory
from pawld.system.windows_registrar import EXISTS, NO_SUCH_SETTING, HostRegistrar, Registrar
from pawld.system.windows_services import NO_SUCH_SERVICE, HostServices, Services
from pawld.values import dataclass

NAME = "pawld"
_PURPOSE = "Keeps agents current on this host."
_PATIENCE = timedelta(minutes=7)  # a step under way is finished or recorded first
_DELAYS = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10))  # before each start after a death
_FORGET = timedelta(days=1)  # without a death, after which the next is the first again


def settle(state: Path, name: str = NAME, registrar: Callable[[], Registrar] = HostRegistrar) -> None:
    """See to what an MSI cannot, at each start of the service *name* and by itself; to do it again is harmless.

    The state directory is closed to all but SYSTEM and administrators, before a configuration is looked for in it.
    The service is started again when it dies, unless an administrator gave it recovery settings of another kind.

    Raises:
        TransientError, OperatorError: Windows refused it.
    """
    manager = registrar()
    with translated(name, NO_SUCH_SETTING, NO_SUCH_SERVICE):
        if not manager.recovers(name):
            manager.recover(name, _DELAYS, _FORGET)
    _close(state, manager)


def _close(state: Path, registrar: Registrar) -> None:
    with host_faults(f"Closing {state} to others"):
        make_directory(state)
        registrar.close(state)


@dataclass(frozen=True, slots=True)
class WindowsRegistration:
    """Registers pawld with the service control manager.

    Args:
        program: the words that start pawld, without a command.
        config: the configuration that it is to go by; None is the system's own place.
        state: the state directory, which is closed to all but SYSTEM and administrators; None leaves it alone.
    """

    program: tuple[str, ...]
    config: Path | None = None
    state: Path | None = None
    name: str = NAME
    services: Callable[[], Services] = HostServices
    registrar: Callable[[], Registrar] = HostRegistrar
    clock: Clock = field(default_factory=SystemClock)

    def install(self, style: Style) -> None:
        """Make the service, or bring the one that is there up to date, and start it."""
        if style is not Style.DAEMON:
            raise OperatorError(Reason.USAGE, "On Windows pawld runs as a service; it has no timer there.")
        service = self._service()
        service.stop()
        if self.state is not None:
            _close(self.state, self.registrar())
        self._describe()
        service.start(Slot(Path(self.program[0]).parent, "its program", ""))

    def uninstall(self) -> None:
        """Stop and delete the service; configuration, state and agents stay. One that is not there is no error."""
        self._service().stop()
        with translated(self.name, NO_SUCH_SERVICE):
            self.registrar().delete(self.name)

    def start(self) -> None:
        """Start it, and wait until it runs."""
        self._service().start(Slot(Path(), "its program", ""))

    def stop(self) -> None:
        """Stop it, and wait until it has: a step under way is finished or recorded."""
        self._service().stop()

    def status(self) -> Registered:
        """Ask the manager."""
        seen = self._service().status()
        return Registered(bool(seen.enabled), seen.running, seen.detail)

    def _describe(self) -> None:
        registrar, line = self.registrar(), self._line()
        with translated(self.name):
            try:
                registrar.create(self.name, line)
            except OSError as error:
                if getattr(error, "winerror", None) != EXISTS:
                    raise
                registrar.change(self.name, line)
            registrar.describe(self.name, _PURPOSE)
        with translated(self.name, NO_SUCH_SETTING):
            registrar.recover(self.name, _DELAYS, _FORGET)
        with translated(self.name, NO_SUCH_SETTING):
            registrar.delay(self.name)

    def _line(self) -> str:
        """Return the command line of the service; the program is quoted, as a path with spaces is ambiguous else."""
        words = [*self.program[1:], *(["--config", str(self.config)] if self.config else []), "run", "--service"]
        return f'"{PureWindowsPath(self.program[0])}" {subprocess.list2cmdline(words)}'

    def _service(self) -> WindowsService:
        root = PureWindowsPath(self.program[0]).parent
        return WindowsService(self.name, root=root, patience=_PATIENCE, clock=self.clock, services=self.services)
