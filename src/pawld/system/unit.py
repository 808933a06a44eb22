"""What has to outlive pawld's own systemd unit, or is not to share its sandbox, is run in a unit of its own."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path


def runs_in_a_unit() -> bool:
    """Whether this process belongs to a unit of a running systemd."""
    return "INVOCATION_ID" in os.environ and Path("/run/systemd/system").is_dir()


def outside_our_unit() -> tuple[str, ...]:
    """Return what lets a command leave pawld's own unit, so that the agent survives pawld's stop."""
    return ("systemd-run", "--scope", "--quiet", "--collect", "--") if runs_in_a_unit() else ()


def in_a_unit_of_its_own(limit: timedelta, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return what runs a command as a service that pawld waits for.

    A scope would share pawld's sandbox, in which no package manager could write; and one that is stopped with pawld in
    the middle of its work would leave half of it. After *limit* systemd ends it.
    """
    if not runs_in_a_unit():
        return ()
    return (
        "systemd-run",
        "--pipe",
        "--wait",
        "--quiet",
        "--collect",
        "--service-type=exec",
        f"--property=RuntimeMaxSec={limit.total_seconds():g}",
        *(f"--setenv={name}={value}" for name, value in environment.items()),
        "--",
    )
