"""Speak to the running daemon. It has the credentials that its service manager gave it, and the order of its work."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from pawld.cli.output import Document
from pawld.errors import PawldError, TransientError
from pawld.reasons import Reason
from pawld.settings.glance import outline
from pawld.system import local_line


def greeting(arguments: argparse.Namespace) -> Document:
    """Return what the daemon tells of itself; nothing where none answers."""
    line = _line(arguments)
    return (local_line.ask(line, {"verb": "hello"}) if line else None) or {}


def done_by_daemon(
    arguments: argparse.Namespace, verb: str, agents: Sequence[str], *, wait: bool = False, force: bool = False
) -> Document | None:
    """Have the running daemon do it, and stay until it is done; None where no daemon runs.

    ``TransientError`` where it ended before it was done.
    """
    if arguments.direct or not greeting(arguments):
        return None
    if not arguments.json:
        print("pawld: the daemon does it; this waits for its answer", file=sys.stderr)
    question = {"verb": verb, "agents": list(agents), "wait": wait, "force": force}
    line = _line(arguments)
    answer = local_line.ask(line, question, patience=None) if line else None
    if answer is None or "agents" not in answer:
        reason = (answer or {}).get("reason") or {}
        code = reason.get("code", Reason.INTERRUPTED.code)
        raise TransientError(Reason.of(code), reason.get("message", "The daemon ended before it had answered."))
    return answer


def _line(arguments: argparse.Namespace) -> Path | None:
    """Where the daemon would listen; of a bad configuration the command itself complains."""
    try:
        line = outline(arguments.config, os.environ).state_dir / local_line.FILENAME
        return line if line.exists() else None
    except (PawldError, OSError):
        return None
