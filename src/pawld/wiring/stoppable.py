"""This host, opened for a change that may be asked to end in its middle, by a signal or by a person."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pawld.lifecycle.stopping import Stop
from pawld.ports import Reporter
from pawld.settings.models import Settings
from pawld.system import clock
from pawld.system.ending import asked_to_end
from pawld.wiring.host import Host, Listen, nobody, opened_for_change


@contextmanager
def stoppable(settings: Settings, listen: Listen = nobody) -> Iterator[Host]:
    """Open this host as ``opened_for_change`` does; ``Stopping`` is raised inside where it is asked to end."""
    stop = Stop(clock.SystemClock())

    @contextmanager
    def told(*opened: Any) -> Iterator[Sequence[Reporter]]:
        with listen(*opened) as reporters:
            yield [stop, *reporters]

    with opened_for_change(settings, told, stop) as host, asked_to_end(stop.ask):
        yield host
