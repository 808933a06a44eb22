"""``rollback``, ``block``, ``unblock`` and ``recover``."""

import argparse
from pathlib import Path
from typing import Any

from pawld.cli.arguments import add_agent, add_command
from pawld.cli.control import agents_of, control_of
from pawld.cli.output import Document, Manner, outcome_lines, show, worst_exit

_STATE = "with --root: the state that knows the agent; default: this system's place"


def add_to(subparsers: Any) -> None:
    """Describe the commands."""
    for name, handler in (("rollback", _rollback), ("recover", _recover)):
        command = add_command(subparsers, name)
        add_agent(command)
        command.set_defaults(handler=handler)
        if name == "recover":
            for option, told in (("--root", "an agent's directory: no configuration is read"), ("--state", _STATE)):
                command.add_argument(option, type=Path, metavar="DIR", help=told)
            command.add_argument(
                "--self-test", action="store_true", help="show on a copy of the state that this pawld can take over"
            )
    for name, handler in (("block", _block), ("unblock", _unblock)):
        command = add_command(subparsers, name)
        command.add_argument("build", metavar="BUILD", help="a version, or a sha256 or its first 12 digits and more")
        add_agent(command)
        command.set_defaults(handler=handler)


def _rollback(arguments: argparse.Namespace) -> int:
    return _told(control_of(arguments).rollback(agents_of(arguments)), arguments)


def _recover(arguments: argparse.Namespace) -> int:
    control, agents = control_of(arguments), agents_of(arguments)
    if arguments.root is not None:
        return _told(control.recover_root(arguments.root.resolve(), arguments.state), arguments)
    return _told(control.self_test(agents) if arguments.self_test else control.recover(agents), arguments)


def _block(arguments: argparse.Namespace) -> int:
    return _told(control_of(arguments).block(agents_of(arguments), arguments.build), arguments)


def _unblock(arguments: argparse.Namespace) -> int:
    return _told(control_of(arguments).unblock(agents_of(arguments), arguments.build), arguments)


def _told(document: Document, arguments: argparse.Namespace) -> int:
    show(document, outcome_lines(document), Manner(arguments.json))
    return worst_exit(document)
