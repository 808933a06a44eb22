"""How this very pawld is run again: the same interpreter and code, or the same frozen program."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pawld.system.apart import leave_behind
from pawld.system.process import Finished, run

DETACHED = "PAWLD_DETACHED"
"""Set in a process that no stop of pawld's own service can reach."""

WITHIN = "PAWLD_WITHIN"
"""Set in a process that ends with pawld's own service, since the daemon there started it."""

_STARTER = "systemd-run"
_KEPT = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_STARTED = timedelta(seconds=60)  # for systemd to start a unit


def own_command() -> list[str]:
    """Return the words that run this pawld; the directory that it is run in is not searched for code."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-P", "-m", "pawld"]


def can_detach() -> bool:
    """Whether this host has what starts a process that outlives a stop of pawld's own service."""
    return sys.platform == "win32" or shutil.which(_STARTER) is not None


def detached(unit: str, command: Sequence[str], environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the words that have systemd run *command* as a unit of its own, out of reach of the stop of ours.

    They wait for its end, and pass its output on. The unit is given our credentials, by copies that systemd makes. On
    Windows they are the command alone, and whoever runs it starts it apart (``ending.Apart``).
    """
    if sys.platform == "win32":
        return list(command)
    words = [*_started(unit, environ), "--wait", "--pipe"]
    directory = environ.get(_CREDENTIALS)
    if directory:
        names = sorted(os.listdir(directory))  # noqa: PTH208 - names alone
        words += [f"--property=LoadCredential={name}:{directory}/{name}" for name in names]
    return [*words, "--", *command]


def detach(unit: str, command: Sequence[str], environ: Mapping[str, str] = os.environ) -> Finished:
    """Have *command* started out of reach of the stop of our service, by systemd as a unit, and do not wait for it."""
    if sys.platform == "win32":
        return _left_alone(command, environ)
    return run([*_started(unit, environ), "--", *command], limit=_STARTED)


def outside(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a process that no stop of pawld's own service can reach."""
    return {name: value for name, value in environ.items() if name != WITHIN} | {DETACHED: "1"}


def _left_alone(command: Sequence[str], environ: Mapping[str, str]) -> Finished:
    try:
        leave_behind(command, outside(environ), stderr=None)
    except OSError as error:
        return Finished(tuple(command), None, "", str(error), ran=False)
    return Finished(tuple(command), 0, "", "")


def _started(unit: str, environ: Mapping[str, str]) -> list[str]:
    passed = {name: value for name, value in outside(environ).items() if name.startswith("PAWLD_") or name in _KEPT}
    return [
        _STARTER,
        "--quiet",
        "--collect",
        "--service-type=exec",
        f"--unit={unit}",
        "--description=Updates pawld from outside its own service",
        "--property=TimeoutStopSec=5min",
        *(f"--setenv={name}={value}" for name, value in sorted(passed.items())),
    ]
