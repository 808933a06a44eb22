"""``history``: what happened, newest first."""

import argparse
from collections.abc import Iterator
from typing import Any

from pawld.cli.arguments import add_agent, add_command
from pawld.cli.control import agents_of, control_of
from pawld.cli.output import Document, Manner, moment, show

_USUAL = 20  # events


def add_to(subparsers: Any) -> None:
    """Describe the command."""
    history = add_command(subparsers, "history")
    add_agent(history)
    history.add_argument("--limit", type=int, default=_USUAL, metavar="N", help=f"so many events; default: {_USUAL}")
    history.set_defaults(handler=_history)


def _history(arguments: argparse.Namespace) -> int:
    document = control_of(arguments).history(agents_of(arguments), max(1, arguments.limit))
    show(document, history_lines(document), Manner(arguments.json))
    return 0


def history_lines(document: Document) -> Iterator[str]:
    """Tell each event in a line."""
    events = document.get("events", ())
    if not events:
        yield "Nothing has happened yet."
    for event in events:
        reason = event.get("reason") or {}
        build = f" {event['version']}" if event.get("version") else ""
        yield (
            f"{moment(event.get('at'))}  {event.get('agent')}{build}  {event.get('state', '').replace('_', ' ')}: "
            f"{reason.get('message') or event.get('message', '')} ({reason.get('code', 'unknown')})"
        )
