"""``drill``: rehearse update, failed health and rollback on this very host, in a scratch root."""

import argparse
import os
from typing import Any

from pawld.cli.arguments import add_command
from pawld.cli.output import Manner, show
from pawld.errors import OperatorError
from pawld.reasons import Exit, Reason


def add_to(subparsers: Any) -> None:
    """Describe the command."""
    drill = add_command(subparsers, "drill")
    drill.add_argument("agent", metavar="AGENT", help="whose file system and service manager are rehearsed on")
    drill.set_defaults(handler=_drill)


def _drill(arguments: argparse.Namespace) -> int:
    from pawld.drill.ground import prepared
    from pawld.drill.rehearsal import Rehearsal
    from pawld.settings import load

    manner, settings = Manner(arguments.json), load(arguments.config, os.environ)
    agent = settings.agents.get(arguments.agent)
    if agent is None:
        known = ", ".join(settings.agents)
        raise OperatorError(
            Reason.USAGE, f"There is no agent {arguments.agent!r} in the configuration; there is {known}."
        )
    scenes = []
    with prepared(agent) as ground:
        _say(manner, f"Rehearsing in {ground.home}, under {ground.manager}; {arguments.agent} itself is not touched.")
        for scene in Rehearsal(ground).scenes():
            scenes.append(scene)
            _say(manner, f"{'held  ' if scene.held else 'FAILED'} {scene.name} ({scene.seconds:.1f} s): {scene.detail}")
    held = all(scene.held for scene in scenes)
    _say(
        manner, "Everything held, and nothing is left of it." if held else "Not everything held; nothing is left of it."
    )
    document = {
        "agent": arguments.agent,
        "manager": ground.manager,
        "held": held,
        "rehearsals": [
            {"name": one.name, "held": one.held, "detail": one.detail, "seconds": one.seconds} for one in scenes
        ],
    }
    show(document, (), manner)
    return Exit.DONE if held else Exit.TRY_LATER


def _say(manner: Manner, line: str) -> None:
    if not manner.json:
        print(line, flush=True)
