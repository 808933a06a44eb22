"""``check``, ``update`` and ``run``."""

import argparse
from typing import Any

from pawld.cli.arguments import add_agent, add_command
from pawld.cli.control import Wish, agents_of, control_of
from pawld.cli.output import Manner, outcome_lines, show, worst_exit


def add_to(subparsers: Any) -> None:
    """Describe the commands."""
    check = add_command(subparsers, "check")
    add_agent(check)
    check.set_defaults(handler=_check)
    update = add_command(subparsers, "update")
    add_agent(update)
    update.add_argument("--no-wait", action="store_true", help="return when a gate is closed")
    update.add_argument("--force", action="store_true", help="skip rollout and windows, never trust")
    update.set_defaults(handler=_update)
    run = add_command(subparsers, "run")
    add_agent(run)
    run.set_defaults(handler=_run)


def _check(arguments: argparse.Namespace) -> int:
    document = control_of(arguments).check(agents_of(arguments))
    show(document, outcome_lines(document), Manner(arguments.json))
    return worst_exit(document)


def _update(arguments: argparse.Namespace) -> int:
    from pawld.cli.progress import progress_of

    wish = Wish(wait=not arguments.no_wait, force=arguments.force)
    document = control_of(arguments).update(agents_of(arguments), wish, progress_of(Manner(arguments.json)))
    show(document, outcome_lines(document), Manner(arguments.json))
    return worst_exit(document)


def _run(arguments: argparse.Namespace) -> int:
    return control_of(arguments).run(agents_of(arguments))
