"""Kill a process before each of its mutating system calls, by strace's injection, whatever the program is.

Two traps are built in: ``when=`` counts per name of a call and not over all of them, and the signal comes at the entry
of the call, so "after call k" is "before call k + 1". A count is for one process, so what the target starts may be hit
too; then the target lives on, and has to cope.
"""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash.children import environment

SYSCALLS = (
    "write,writev,pwrite64,pwritev,sendfile,copy_file_range,fsync,fdatasync,syncfs,rename,renameat,renameat2,symlink,"
    "symlinkat,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,truncate,ftruncate,chmod,fchmod,fchmodat,openat"
)
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)")
_LIMIT = 120  # seconds for one run of the target


@dataclass(frozen=True, slots=True)
class Point:
    """Before the *occurrence*-th call of that name; *text* is the start of its arguments."""

    syscall: str
    occurrence: int
    text: str


@dataclass(slots=True)
class Campaign:
    """What a whole campaign saw."""

    points: int = 0
    killed: int = 0
    bad: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Target:
    """The program to kill.

    Attributes:
        command: its argument list.
        begins: text in the first traced line that counts; what comes before is the program starting.
        environment: added to that of every child of the rigs.
        follow: ``-f`` where what the target starts is to be seen too; nothing sees the first thread alone, as it suits
            a program whose other threads change nothing, and which leaves processes behind.
    """

    command: Sequence[str]
    begins: str = "getppid("
    follow: Sequence[str] = ("-f",)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, options: Sequence[str], log: Path) -> "subprocess.CompletedProcess[bytes]":
        """Run it under strace with these options."""
        return subprocess.run(
            ["strace", *self.follow, "-qq", "-s", "200", "-o", str(log), *options, *self.command],
            capture_output=True,
            check=False,
            timeout=_LIMIT,
            env=environment() | dict(self.environment),
        )


def points_of(target: Target, log: Path) -> list[Point]:
    """Run the target once, whole, and return every point at which it changes something."""
    finished = target.run(["-e", f"trace=getppid,{SYSCALLS}"], log)
    assert finished.returncode == 0, finished.stderr.decode()
    counts: Counter[str] = Counter()
    found: list[Point] = []
    begun = False
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        begun = begun or target.begins in line
        counts[match[1]] += 1
        if begun and match[1] != "getppid" and not _only_reads(match[1], match[2]):
            found.append(Point(match[1], counts[match[1]], match[2][:100]))
    return found


def kill_everywhere(
    target: Target,
    log: Path,
    prepare: Callable[[], object],
    judge: Callable[[bytes], str],
    *,
    every: int = 1,
) -> Campaign:
    """Kill *target* at every point, or at each *every*-th of them.

    *prepare* makes the world anew before each run; *judge* is given the target's output so far, and returns what is
    wrong with the world after it, or nothing. It also finishes the work, as the next start of the program would.
    """
    prepare()
    campaign = Campaign()
    for point in points_of(target, log)[::every]:
        prepare()
        inject = f"inject={point.syscall}:signal=KILL:when={point.occurrence}"
        finished = target.run(["-e", f"trace={point.syscall}", "-e", inject], Path(os.devnull))
        campaign.points += 1
        campaign.killed += finished.returncode == -9
        wrong = judge(finished.stdout)
        campaign.bad += [f"before {point.syscall} {point.occurrence} ({point.text}): {wrong}"] if wrong else []
    return campaign


def _only_reads(syscall: str, arguments: str) -> bool:
    return syscall == "openat" and "O_CREAT" not in arguments
