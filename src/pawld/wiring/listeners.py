"""Who is told of every move."""

from collections.abc import Sequence

from pawld.ports import Reporter
from pawld.settings import Settings


def listeners_of(settings: Settings) -> Sequence[Reporter]:
    """Return the configured reporters; the log is always among them."""
    from pawld.report.logs import LogReporter

    del settings
    return [LogReporter()]
