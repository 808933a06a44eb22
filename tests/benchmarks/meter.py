"""What one command costs, all its processes together: wall time, CPU time, and the peak of the largest of them.

It is started from a small process of its own, for a child's peak memory can never read below its parent's.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

UPDATE_DUE = 100  # what `pawld check` ends with where there is one


@dataclass(frozen=True)
class Cost:
    """Seconds, seconds and MB (10^6 bytes)."""

    wall: float
    cpu: float
    peak: float


class FailedError(Exception):
    """A command under measurement did not do its work."""


def cost_of(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Cost:
    """Run *command* with no input, its output going to *log*."""
    launcher = [sys.executable, "-I", "-S", __file__, str(log), *command]
    done = subprocess.run(launcher, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode not in (0, UPDATE_DUE):
        raise FailedError(f"{command} ended with {done.returncode}: {done.stderr}{log.read_text()[-2000:]}")
    return Cost(**json.loads(done.stdout))


def _measure(log: str, command: list[str]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, dict(os.environ), file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    cost = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024 / 1e6}
    sys.stdout.write(json.dumps(cost))
    sys.exit(abs(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    _measure(sys.argv[1], sys.argv[2:])
