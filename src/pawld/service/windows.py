"""A Windows service. There is no link to move, so at each start the service is re-pointed to the slot's program.

A command line that leads into another slot of the same root, or to its ``current``, which no link stands for here, is
changed to the new slot; one that leads elsewhere is the administrator's, and stays. The manager counts no restarts: a
changed process tells.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import PureWindowsPath

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.model import Slot
from pawld.ports import Clock, ServiceStatus
from pawld.reasons import Reason
from pawld.service.deadman import Companion
from pawld.service.polling import until
from pawld.system.clock import SystemClock
from pawld.system.windows_services import (
    ALREADY_RUNNING,
    AUTOMATIC,
    DISABLED,
    NO_SUCH_SERVICE,
    NOT_ACTIVE,
    NOT_NOW,
    RUNNING,
    STOPPED,
    HostServices,
    Seen,
    Services,
)

_STATES = {1: "stopped", 2: "starting", 3: "stopping", 4: "running", 5: "continuing", 6: "pausing", 7: "paused"}
_ACCESS_DENIED = 5
_KILLED = timedelta(seconds=10)  # for the manager to see that a process is gone


class WindowsService:
    """The agent's service, by its *name* (not its display name); *root* holds the slots.

    Args:
        switch: the dead man's switch; without one nothing is armed.
    """

    def __init__(
        self,
        name: str,
        *,
        root: PureWindowsPath,
        patience: timedelta = timedelta(seconds=90),
        switch: Companion | None = None,
        clock: Clock | None = None,
        services: Callable[[], Services] = HostServices,
    ) -> None:
        self._name = name
        self._root = root
        self._patience = patience
        self._switch = switch
        self._clock = clock or SystemClock()
        self._services = services

    def status(self) -> ServiceStatus:
        """Ask the manager; a service that it does not know is not running."""
        seen = self._seen()
        if seen is None:
            return ServiceStatus(running=False, detail=f"there is no service {self._name}")
        return ServiceStatus(
            running=seen.state == RUNNING,
            pid=seen.pid or None,
            enabled=seen.start_type <= AUTOMATIC,
            detail=f"{self._name} is {_STATES.get(seen.state, seen.state)}",
        )

    def stop(self) -> None:
        """Ask it to stop and wait until it has; one that does not in time is ended, for nobody else would do it."""
        if self._stopped():
            return
        asked = False

        def gone() -> bool:
            """Ask once; one that is about to start or stop already cannot be asked, and may have to be later."""
            nonlocal asked
            seen = self._seen()
            if seen is not None and seen.state == RUNNING and not asked:
                self._ask(lambda services: services.stop(self._name), NOT_ACTIVE, NOT_NOW)
                asked = (self._seen() or seen).state != RUNNING
            return self._stopped()

        if until(gone, self._clock, self._patience):
            return
        self._ask(lambda services: services.kill(self._name), NO_SUCH_SERVICE)
        if not until(self._stopped, self._clock, _KILLED):
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"The service {self._name} has not stopped after {self._patience.total_seconds():g} s.",
            )

    def start(self, slot: Slot) -> None:
        """Point it to *slot*, start it, and wait until it runs."""
        seen = self._seen()
        if seen is None:
            raise OperatorError(Reason.CONFIG_INVALID, f"There is no service {self._name}.")
        if seen.start_type == DISABLED:
            raise OperatorError(Reason.CONFIG_INVALID, f"The service {self._name} is disabled and cannot be started.")
        line = repointed(seen.command_line, self._root, slot)
        if line != seen.command_line:
            self._ask(lambda services: services.point(self._name, line))
        self._ask(lambda services: services.start(self._name), ALREADY_RUNNING)
        if not until(self._settled, self._clock, self._patience) or not self.status().running:
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"The service {self._name} did not come up from {slot.version}: {self.status().detail}.",
            )

    def reconcile(self, slot: Slot) -> str | None:
        """Point it to *slot* where it leads into another one of the root; it is not restarted."""
        seen = self._seen()
        if seen is None:
            return None
        line = repointed(seen.command_line, self._root, slot)
        if line == seen.command_line:
            return None
        self._ask(lambda services: services.point(self._name, line))
        return f"The service {self._name} was pointed to {slot.version}, which is the current one."

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Leave a companion behind that stops the service, runs *rollback* and starts what is current then."""
        if self._switch is not None:
            self._switch.arm(deadline, rollback)

    def disarm(self) -> None:
        """Call it off."""
        if self._switch is not None:
            self._switch.disarm()

    def evidence(self, since: datetime) -> str:
        """Return nothing: the manager keeps no log of a service's own words."""
        del since
        return ""

    def _seen(self) -> Seen | None:
        found: list[Seen] = []
        self._ask(lambda services: found.append(services.query(self._name)), NO_SUCH_SERVICE)
        return found[0] if found else None

    def _stopped(self) -> bool:
        seen = self._seen()
        return seen is None or seen.state == STOPPED

    def _settled(self) -> bool:
        seen = self._seen()
        return seen is None or seen.state in (RUNNING, STOPPED)

    def _ask(self, act: Callable[[Services], object], *harmless: int) -> None:
        """Call the manager, and translate what it refuses; the errors *harmless* are none."""
        with translated(self._name, *harmless):
            act(self._services())


@contextmanager
def translated(name: str, *harmless: int) -> Iterator[None]:
    """Turn what the manager refuses into an error of ours; the numbers *harmless* are none."""
    try:
        yield
    except OSError as error:
        code = getattr(error, "winerror", None)
        if code in harmless:
            return
        raise _refusal(name, code, error) from error


def _refusal(name: str, code: int | None, error: OSError) -> PawldError:
    told = error.strerror or str(error)
    if code == _ACCESS_DENIED:
        return OperatorError(Reason.PERMISSION_DENIED, f"Windows does not let pawld manage the service {name}: {told}.")
    return TransientError(Reason.SERVICE_FAILED, f"Windows refused to manage the service {name}: {told} ({code}).")


def repointed(command_line: str, root: PureWindowsPath, slot: Slot) -> str:
    r"""Return the line with ``<root>\versions\<any slot>`` or ``<root>\current`` changed to *slot*, in any case."""
    within = re.escape(str(root) + "\\")
    target = str(PureWindowsPath(root) / "versions" / slot.name)
    return re.sub(
        rf"{within}(?:versions\\[^\\\"]+|current(?=\\))", lambda _: target, command_line, count=1, flags=re.IGNORECASE
    )
