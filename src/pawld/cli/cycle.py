"""``check`` and ``update``."""

import argparse
from pathlib import Path
from typing import Any

from pawld.cli.arguments import add_agent, add_command, moment
from pawld.cli.asking import done_by_daemon
from pawld.cli.control import Wish, agents_of, control_of
from pawld.cli.output import Manner, outcome_lines, show, worst_exit


def add_to(subparsers: Any) -> None:
    """Describe the commands."""
    check = add_command(subparsers, "check")
    add_agent(check)
    check.add_argument(
        "--at", type=moment, metavar="TIME", help="explain the decision at this time, such as 2027-03-01T12:00Z"
    )
    check.add_argument("--host-id", metavar="ID", help="explain another host's decision")
    check.set_defaults(handler=_check)
    update = add_command(subparsers, "update")
    add_agent(update)
    update.add_argument("--no-wait", action="store_true", help="return when a gate is closed")
    update.add_argument("--force", action="store_true", help="skip rollout and windows, never trust")
    update.set_defaults(handler=_update)
    update.add_argument("--from", dest="bundle", type=Path, metavar="FILE", help="by a bundle alone, without a network")
    for command in (check, update):
        command.add_argument("--direct", action="store_true", help="in this process, though a daemon runs")


def _check(arguments: argparse.Namespace) -> int:
    control, agents, at = control_of(arguments), agents_of(arguments), arguments.at
    explained = at is not None or arguments.host_id is not None
    if explained:
        document = control.explain(agents, at, arguments.host_id)
    else:
        document = done_by_daemon(arguments, "check", agents) or control.check(agents)
    show(document, outcome_lines(document), Manner(arguments.json))
    return worst_exit(document)


def _update(arguments: argparse.Namespace) -> int:
    from pawld.cli.progress import progress_of

    wish = Wish(wait=not arguments.no_wait, force=arguments.force)
    agents = agents_of(arguments)
    progress = progress_of(Manner(arguments.json))
    if arguments.bundle is not None:
        document = control_of(arguments).update_from(agents, arguments.bundle, wish, progress)
    else:
        document = done_by_daemon(arguments, "update", agents, wait=wish.wait, force=wish.force) or control_of(
            arguments
        ).update(agents, wish, progress)
    show(document, outcome_lines(document), Manner(arguments.json))
    return worst_exit(document)
