"""Who is told of every move, and how this process itself speaks."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from pawld.install.shelf import Shelf
from pawld.lifecycle.database import Database
from pawld.lifecycle.journal import Journal
from pawld.ports import Event, Reporter
from pawld.report.spool_state import SPOOLS
from pawld.settings import Settings
from pawld.settings.updater import Report
from pawld.system.clock import SystemClock
from pawld.system.host_id import host_id
from pawld.system.http import Web

if TYPE_CHECKING:
    from pawld.report.metrics import Family
    from pawld.report.otlp import Collector
    from pawld.report.outbox import Box, Receiver


class Speech(Protocol):
    """The part of ``[report]`` that concerns logs."""

    @property
    def log_level(self) -> str:
        """What is logged at least."""

    @property
    def log_format(self) -> str:
        """``auto``, ``text``, ``json`` or ``journal``."""


def speak(report: Speech) -> None:
    """Set the logs of this process up as configured, from here on."""
    from pawld.report import logs
    from pawld.report.journald import reads_us

    logs.log_to(None, logs.format_for(report.log_format, journal=reads_us(os.environ)), report.log_level)


@contextmanager
def listeners_of(settings: Settings, database: Database, web: Web) -> Iterator[Sequence[Reporter]]:
    """Open the configured reporters; the log and the counts are always among them."""
    from pawld.report.logs import LogReporter
    from pawld.report.tally import Tally

    with ExitStack() as stack:
        reporters: list[Reporter] = [LogReporter(), Tally(database)]
        if boxes := boxes_of(settings, web):
            from pawld.report.outbox import Outbox

            facts = partial(_facts, settings, database)
            outbox = Outbox(boxes, database, _host(settings), facts, SystemClock().now)
            reporters.append(stack.enter_context(outbox))
        yield reporters


def boxes_of(settings: Settings, web: Web) -> "Sequence[Box]":
    """Return who is sent outcomes over the network, each with its spool."""
    receivers = dict(_receivers(settings, web))
    if not receivers:
        return ()
    from pawld.report.outbox import Box
    from pawld.report.spool import Spool

    place = settings.updater.state_dir / SPOOLS
    return [Box(name, one, Spool(place / name, size=settings.report.spool)) for name, one in receivers.items()]


def _receivers(settings: Settings, web: Web) -> "Iterator[tuple[str, Receiver]]":
    report = settings.report
    if report.webhook_url is not None:
        from pawld.report.webhook import Webhook

        yield "webhook", Webhook(web, report.webhook_url, SystemClock().now, report.webhook_token)
    if report.otlp_url is not None:
        from pawld.report.otlp import OtlpLogs

        yield "otlp", OtlpLogs(collector_of(report, report.otlp_url, web), _host(settings))


def collector_of(report: Report, url: str, web: Web) -> "Collector":
    """Return the collector at *url*."""
    from pawld.report.otlp import Collector

    return Collector(web, url, SystemClock().now, report.otlp_headers)


def push_metrics(settings: Settings, families: "Sequence[Family]") -> None:
    """Post the metrics to the collector, where the configuration says so; ``PawldError`` where that fails."""
    report = settings.report
    if report.otlp_url is None or not report.otlp_metrics:
        return
    from pawld.report.otlp import OtlpMetrics
    from pawld.wiring.network import web_of

    with web_of(settings.updater) as web:
        collector = collector_of(report, report.otlp_url, web)
        OtlpMetrics(collector, _host(settings)).send(families, SystemClock().now())


def _facts(settings: Settings, database: Database, event: Event) -> dict[str, Any]:
    from pawld.report.facts import facts_of

    agent = settings.agents.get(event.agent)
    if agent is None:  # the history knows one that the configuration does not name any more
        return {}
    current = Shelf(agent.root).current()
    journal = Journal(database, event.agent)
    return facts_of(event, journal, current.version if current else None, agent.channel, _host(settings))


def _host(settings: Settings) -> str:
    return settings.updater.host_id or host_id(settings.updater.state_dir)
