"""``config show`` and ``config schema``: the effective settings with where each came from, and what may be written."""

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from pawld.cli.arguments import add_command, add_common
from pawld.cli.output import Manner, show
from pawld.settings import Row, explain, json_schema, load


def add_to(subparsers: Any) -> None:
    """Describe the commands."""
    commands = add_command(subparsers, "config").add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, handler, help_ in (
        ("show", _show, "the effective settings, secrets hidden"),
        ("schema", _schema, "the JSON Schema of the file"),
    ):
        command = commands.add_parser(name, help=help_, description=help_)
        add_common(command, default=argparse.SUPPRESS)
        command.set_defaults(handler=handler)


def _show(arguments: argparse.Namespace) -> int:
    rows = explain(load(arguments.config, os.environ))
    document = {"settings": [{"key": row.key, "value": row.value, "origin": row.origin} for row in rows]}
    show(document, config_lines(rows), Manner(arguments.json))
    return 0


def _schema(_: argparse.Namespace) -> int:
    show(json_schema(), (), Manner(json=True))
    return 0


def config_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Write each setting as TOML has it, and behind it the file, the variable or ``default``."""
    for row in rows:
        yield f"{row.key} = {json.dumps(row.value, ensure_ascii=False)}  # {row.origin}"
