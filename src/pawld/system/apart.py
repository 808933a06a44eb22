"""A process that outlives the one that starts it.

On Linux systemd runs what is to outlive pawld's own service (``own_command``). When a service of Windows stops, what it
started runs on, unless a job or a console takes it along: what is started here leaves both.
"""

import subprocess
from collections.abc import Mapping, Sequence

_ALONE = 0x08000000 | 0x00000200  # CREATE_NO_WINDOW: a console of its own; CREATE_NEW_PROCESS_GROUP: no Ctrl-C of ours
_OUT_OF_THE_JOB = 0x01000000  # CREATE_BREAKAWAY_FROM_JOB, which not every job lets a process do
_left: list["subprocess.Popen[bytes]"] = []  # nobody waits for them; Python would complain of one that it forgets


def leave_behind(
    command: Sequence[str], environ: Mapping[str, str] | None = None, *, stderr: int | None = subprocess.DEVNULL
) -> None:
    """Start it, and never look after it; ``OSError`` where it cannot be started. By default it says nothing."""
    _left.append(start_apart(command, environ, stdout=subprocess.DEVNULL, stderr=stderr))


def start_apart(
    command: Sequence[str], environ: Mapping[str, str] | None, *, stdout: int, stderr: int | None = None
) -> "subprocess.Popen[bytes]":
    """Start it; ``OSError`` where it cannot be. *stderr* None is our own, so that what it says is found."""

    def started(flags: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=environ,
            start_new_session=True,
            creationflags=flags if hasattr(subprocess, "STARTUPINFO") else 0,  # Windows alone has such flags
        )

    try:
        return started(_ALONE | _OUT_OF_THE_JOB)
    except PermissionError:
        return started(_ALONE)
