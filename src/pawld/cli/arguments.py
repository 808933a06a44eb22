"""The command line's form. Only the module of the command that is named is imported; the others are a line of help.

``--config``, ``--json`` and ``-v`` may stand before or after the command.
"""

import argparse
import importlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from pawld import __version__
from pawld.errors import OperatorError
from pawld.reasons import Reason

COMMANDS = {
    "check": ("cycle", "resolve and decide; download and change nothing"),
    "update": ("cycle", "one cycle now, to its end"),
    "run": ("daemon", "the daemon"),
    "cycle": ("daemon", "one cycle that waits for nothing, as the daemon and timers start it"),
    "status": ("status", "each agent: installed, wanted, state, reason, next check"),
    "rollback": ("builds", "back to the previous slot, and block the one left"),
    "block": ("builds", "never install a build, by version or sha256"),
    "unblock": ("builds", "lift a block, by version or sha256"),
    "history": ("history", "what happened, newest first"),
    "path": ("path", "where the running version of an agent lies, for scripts"),
    "exec": ("path", "run a program of an agent's running version: exec AGENT -- PROGRAM WORD…"),
    "doctor": ("doctor", "find what is wrong with this host, each with its mend"),
    "drill": ("drill", "rehearse update, failed health and rollback in a scratch root"),
    "recover": ("builds", "finish or undo an interrupted update; needs no network"),
    "config": ("config", "show the effective settings, or their JSON Schema"),
    "service": ("service", "register pawld with the service manager"),
    "demo": ("demo", "the whole story on this machine, in under a minute"),
    "release": ("release", "the publishing side"),
}


class Shown(Exception):  # noqa: N818 - not an error: help was asked for, and was shown
    """The parser has answered by itself."""


class _Parser(argparse.ArgumentParser):
    """Fails with a reason instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        told = f"{message[:1].upper()}{message[1:]}"
        raise OperatorError(Reason.USAGE, f"{told}; usage: {' '.join(self.format_usage().split()[1:])}.")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Shown(status, message)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; the result's ``handler`` runs the command.

    Raises:
        OperatorError: usage.
        Shown: help or the version was asked for and printed.
    """
    return _parser(words).parse_args(list(words))


def add_command(subparsers: Any, name: str) -> argparse.ArgumentParser:
    """Add a command of ours, with the options that every command takes."""
    told = COMMANDS[name][1]
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=told, description=f"{told[:1].upper()}{told[1:]}."
    )
    add_common(parser, default=argparse.SUPPRESS)
    return parser


def add_agent(parser: argparse.ArgumentParser) -> None:
    """Add the agent that the command is for; all of them where it is left out."""
    parser.add_argument("agent", nargs="?", metavar="AGENT", help="an agent of the configuration; default: all")


def add_common(parser: argparse.ArgumentParser, default: Any = None) -> None:
    """Add what may stand before and after a command; *default* keeps the second place from undoing the first."""
    parser.add_argument("--config", type=Path, metavar="FILE", default=default, help="the configuration file")
    parser.add_argument("--json", action="store_true", default=default or False, help="one JSON document on stdout")
    parser.add_argument("-v", "--verbose", action="store_true", default=default or False, help="say more, on stderr")


def moment(text: str) -> datetime:
    """Read an ISO 8601 time; without a zone it is UTC. ``ArgumentTypeError`` where it is none."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; one reads like 2027-03-01T12:00Z") from None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="pawld", description="Keeps an agent current on this host.", allow_abbrev=False)
    parser.add_argument("-V", "--version", action="version", version=f"pawld {__version__}")
    add_common(parser)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    named = {module for name, (module, _) in COMMANDS.items() if name in words}
    for module in dict.fromkeys(module for module, _ in COMMANDS.values()):
        if module in named:
            _describe(subparsers, module)
        else:
            for name in [one for one, (owner, _) in COMMANDS.items() if owner == module]:
                subparsers.add_parser(name, help=COMMANDS[name][1])
    return parser


def _describe(subparsers: Any, module: str) -> None:
    """Let the module that owns these commands describe them."""
    name = f"pawld.cli.{module}"
    try:
        commands = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise OperatorError(Reason.USAGE, f"This pawld {__version__} was built without `{module}`.") from None
    commands.add_to(subparsers)
