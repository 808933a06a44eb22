"""Whether those who watch a fleet hear of this host: what waits to be sent, what was lost, and what it would need."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from pawld.doctor.finding import Finding, ok, warning
from pawld.report.spool_state import SPOOLS, Backlog, backlogs
from pawld.settings.updater import Report


def reports(directory: Path, settings: Report) -> Iterator[Finding]:
    """Look at the spools of the receivers that are configured; nothing is sent."""
    if settings.otlp_url is not None and not _has_sdk():
        told = "report.otlp_url needs OpenTelemetry's SDK, which is not installed here."
        yield warning("reports", told, "Run `pip install 'pawld[otel]'`, or use a webhook.")
    configured = {"webhook": settings.webhook_url, "otlp": settings.otlp_url}
    for backlog in backlogs(directory / SPOOLS):
        if configured.get(backlog.to) is not None:
            yield _standing(backlog)


def _standing(backlog: Backlog) -> Finding:
    lost = sum(backlog.losses.values())
    told = f"{backlog.waiting} reports wait for {backlog.to}, and {lost} were lost so far."
    if not backlog.waiting:
        return ok("reports", told)
    return warning("reports", told, "The log says why they were not taken; they are sent again by themselves.")


def _has_sdk() -> bool:
    try:
        return find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        return False
