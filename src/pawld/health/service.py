"""The service runs, as the same process, and its manager did not have to restart it."""

from datetime import timedelta

from pawld.errors import PawldError
from pawld.model import Slot
from pawld.ports import Finding, Healthy, Service, ServiceStatus, Sick, Unclear

EVERY = timedelta(seconds=10)


class ServiceCheck:
    """Watches the service itself. The first look after ``begin`` names the process that must stay.

    A look that its manager cannot answer is unclear: that is the host's fault.
    """

    def __init__(self, service: Service, *, every: timedelta = EVERY, name: str = "service") -> None:
        self.name = name
        self.every = every
        self._service = service
        self._was_enabled = False
        self._first: ServiceStatus | None = None

    def begin(self) -> None:
        """Note whether it would start at the next boot, and forget the process of an earlier probation."""
        self._first = None
        try:
            self._was_enabled = self._service.status().enabled is True
        except PawldError:
            self._was_enabled = False

    def check(self, slot: Slot) -> Finding:
        """Compare with the first look."""
        try:
            status = self._service.status()
        except PawldError as error:
            return Unclear(error.message)
        if not status.running:
            return Sick(f"The service does not run {slot.version}: {status.detail or 'it is stopped'}.")
        self._first = self._first or status
        if status.restarts > 0:
            return Sick(f"The service was restarted {status.restarts} times since it was started.")
        if status.pid != self._first.pid:
            return Sick(f"The process is {status.pid} and was {self._first.pid}: the agent ended and came back.")
        if self._was_enabled and status.enabled is False:
            return Sick("The service would not start at the next boot any more.")
        return Healthy(f"It runs as process {status.pid}." if status.pid else "It runs.")
