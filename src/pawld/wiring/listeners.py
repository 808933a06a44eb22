"""Who is told of every move, and how this process itself speaks."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from pawld.lifecycle.database import Database
from pawld.ports import Reporter
from pawld.settings import Settings
from pawld.system.host_id import host_id
from pawld.system.http import Web

if TYPE_CHECKING:
    from pawld.report.courier import Sender


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
    from pawld.report.courier import Courier
    from pawld.report.logs import LogReporter
    from pawld.report.tally import Tally

    with ExitStack() as stack:
        reporters: list[Reporter] = [LogReporter(), Tally(database)]
        if senders := senders_of(settings, web):
            reporters.append(stack.enter_context(Courier(senders)))
        yield reporters


def senders_of(settings: Settings, web: Web) -> "Sequence[Sender]":
    """Return who is sent events over the network."""
    report, updater = settings.report, settings.updater
    if report.webhook_url is None:
        return ()
    from pawld.report.webhook import Webhook

    name = updater.host_id or host_id(updater.state_dir)
    return [Webhook(web, report.webhook_url, name, report.webhook_token)]
