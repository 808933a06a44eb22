"""``run``, and ``cycle``: what it starts."""

import argparse
from pathlib import Path
from typing import Any

from pawld.cli.arguments import add_agent, add_command
from pawld.cli.control import Wish, agents_of, control_of
from pawld.cli.output import Manner, outcome_lines, show, worst_exit


def add_to(subparsers: Any) -> None:
    """Describe the commands."""
    run = add_command(subparsers, "run")
    add_agent(run)
    run.add_argument("--service", action="store_true", help="as Windows starts it: speak to its service manager")
    run.set_defaults(handler=_run)
    cycle = add_command(subparsers, "cycle")
    add_agent(cycle)
    cycle.add_argument("--force", action="store_true", help="skip rollout and windows, never trust")
    cycle.set_defaults(handler=_cycle)


def _run(arguments: argparse.Namespace) -> int:
    from pawld.daemon.start import run

    if arguments.service:
        from pawld.daemon.windows import run_as_service

        return run_as_service(arguments.config, agents_of(arguments), _metrics)
    return run(arguments.config, agents_of(arguments), _metrics)


def _metrics(config: Path) -> str:
    return control_of(argparse.Namespace(config=config)).metrics()


def _cycle(arguments: argparse.Namespace) -> int:
    from pawld.lifecycle.silence import Silence

    control = control_of(arguments)
    control.speak()
    document = control.update(agents_of(arguments), Wish(wait=False, force=arguments.force), Silence())
    show(document, outcome_lines(document), Manner(arguments.json))
    return worst_exit(document)
