"""``service``: register pawld with the service manager, ask after it, and take it away again."""

import argparse
from pathlib import Path
from typing import Any

from pawld.cli.arguments import add_command, add_common
from pawld.cli.output import Manner, show
from pawld.reasons import Exit


def add_to(subparsers: Any) -> None:
    """Describe the command."""
    service = add_command(subparsers, "service")
    verbs = service.add_subparsers(dest="verb", metavar="VERB", required=True)
    install = verbs.add_parser("install", help="start pawld now and at every boot")
    install.add_argument("--timer", action="store_true", help="from a timer instead of as a daemon")
    install.add_argument("--program", type=Path, metavar="PATH", help="what starts pawld; default: this very program")
    install.set_defaults(handler=_install)
    uninstall = verbs.add_parser("uninstall", help="stop it and forget it; configuration, state and agents stay")
    uninstall.set_defaults(handler=_uninstall)
    start = verbs.add_parser("start", help="start it, where it was stopped")
    start.set_defaults(handler=_start)
    stop = verbs.add_parser("stop", help="stop it until it is started again, or this host is")
    stop.set_defaults(handler=_stop)
    status = verbs.add_parser("status", help="what the service manager says of it")
    status.set_defaults(handler=_status)
    for one in (install, uninstall, start, stop, status):
        add_common(one, default=argparse.SUPPRESS)


def _install(arguments: argparse.Namespace) -> int:
    from pawld.service.registration import Style
    from pawld.wiring.registration import registration

    registration(arguments.config, arguments.program).install(Style.TIMER if arguments.timer else Style.DAEMON)
    return _status(arguments)


def _uninstall(arguments: argparse.Namespace) -> int:
    from pawld.wiring.registration import known_registration

    known_registration().uninstall()
    show({"enabled": False, "running": False}, ["pawld is no service of this host any more."], Manner(arguments.json))
    return int(Exit.DONE)


def _start(arguments: argparse.Namespace) -> int:
    from pawld.wiring.registration import known_registration

    known_registration().start()
    return _status(arguments)


def _stop(arguments: argparse.Namespace) -> int:
    from pawld.wiring.registration import known_registration

    known_registration().stop()
    show({"running": False}, ["pawld is stopped, or ends with the step under way."], Manner(arguments.json))
    return int(Exit.DONE)


def _status(arguments: argparse.Namespace) -> int:
    from pawld.wiring.registration import known_registration

    seen = known_registration().status()
    document = {"enabled": seen.enabled, "running": seen.running, "status": seen.text}
    words = "runs" if seen.running else "does not run"
    boot = "starts at boot" if seen.enabled else "does not start at boot"
    show(document, [f"pawld {words}, and {boot}.", *([f"  {seen.text}"] if seen.text else [])], Manner(arguments.json))
    return int(Exit.DONE if seen.running else Exit.TRY_LATER)
