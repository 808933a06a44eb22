"""``path`` and ``exec``: the running version's place, for scripts; Windows has no link that leads there."""

import argparse
from typing import TYPE_CHECKING, Any

from pawld.cli.arguments import add_command
from pawld.cli.output import Manner, show

if TYPE_CHECKING:
    from pathlib import Path


def add_to(subparsers: Any) -> None:
    """Describe both commands."""
    path = add_command(subparsers, "path")
    path.add_argument("agent", metavar="AGENT", help="an agent of the configuration")
    path.set_defaults(handler=_path)
    execute = add_command(subparsers, "exec")
    execute.add_argument("agent", metavar="AGENT", help="an agent of the configuration")
    execute.add_argument("words", nargs="+", metavar="WORD", help="after --: a program of the agent's, and its words")
    execute.set_defaults(handler=_exec)


def _path(arguments: argparse.Namespace) -> int:
    place = _place(arguments)
    show({"path": str(place)}, [str(place)], Manner(arguments.json))
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    """Run it with our own streams, and answer its exit code."""
    import subprocess

    program, *words = arguments.words
    place = _place(arguments)
    inside = place / program
    return subprocess.run([str(inside if inside.is_file() else program), *words], check=False).returncode


def _place(arguments: argparse.Namespace) -> "Path":
    import os

    from pawld.wiring.glimpse import current_place

    return current_place(arguments.config, os.environ, arguments.agent)
