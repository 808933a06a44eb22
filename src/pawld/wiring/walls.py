"""Who reads what comes from strangers on this host: a user without privileges, where it can be, or pawld itself."""

import os
import sys

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.updater import Updater
from pawld.system.walls import USER, Walls, walls_for

READ_APART = "What comes from the network, archives included, is read by the user {user}, who may do nothing else."
READ_HERE = "What comes from the network, archives included, is read by the process that also installs it: {why}."


def walls_of(updater: Updater) -> Walls | None:
    """Return the walls; None where this host has none.

    ``OperatorError`` (config_invalid) where the configuration names a user whom root cannot put behind them.
    """
    found = walls_or_why(updater)
    if isinstance(found, Walls):
        return found
    if updater.user is not None and not updater.unsafe_parse_as_root and _is_root():
        raise OperatorError(Reason.CONFIG_INVALID, f"updater.user is {updater.user}, but {found}.")
    return None


def walls_or_why(updater: Updater) -> Walls | str:
    """Return the walls, or the clause that says why there are none."""
    if updater.unsafe_parse_as_root:
        return "unsafe_parse_as_root says so"
    return walls_for(updater.user or USER)


def told(updater: Updater) -> str:
    """Return the sentence that says who reads."""
    found = walls_or_why(updater)
    return READ_APART.format(user=found.user) if isinstance(found, Walls) else READ_HERE.format(why=found)


def _is_root() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0
