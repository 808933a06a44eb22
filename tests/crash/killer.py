"""Kill a process before each of its mutating system calls, by strace's injection, whatever the program is.

Two traps are built in: ``when=`` counts per name of a call and not over all of them, and the signal comes at the entry
of the call, so "after call k" is "before call k + 1". A count is for one process, so what the target starts may be hit
too; then the target lives on, and has to cope.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crash.children import environment
from crash.parts import Findings, forked

SYSCALLS = (
    "write,writev,pwrite64,pwritev,sendfile,copy_file_range,fsync,fdatasync,syncfs,rename,renameat,renameat2,symlink,"
    "symlinkat,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,truncate,ftruncate,chmod,fchmod,fchmodat,openat"
)
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)")
_LIMIT = 120  # seconds for one run of the target
_QUIET = ("-qqq", "-s", "200")


@dataclass(frozen=True, slots=True)
class Point:
    """Before the *occurrence*-th call of that name; *text* is the start of its arguments."""

    syscall: str
    occurrence: int
    text: str


class Target(Protocol):
    """What is killed.

    Attributes:
        begins: text in the first traced line that counts; what comes before is the program starting.
    """

    begins: str

    def run(self, options: Sequence[str], log: Path) -> "subprocess.CompletedProcess[bytes]":
        """Run it under strace with these options, to its end."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program in an interpreter of its own.

    Attributes:
        environment: added to that of every child of the rigs.
        follow: ``-f`` where what the target starts is to be seen too; nothing sees the first thread alone, as it suits
            a program whose other threads change nothing, and which leaves processes behind.
    """

    command: Sequence[str]
    begins: str = "getppid("
    follow: Sequence[str] = ("-f",)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, options: Sequence[str], log: Path) -> "subprocess.CompletedProcess[bytes]":
        """Run it under strace."""
        return subprocess.run(
            ["strace", *self.follow, *_QUIET, "-o", str(log), *options, *self.command],
            capture_output=True,
            check=False,
            timeout=_LIMIT,
            env=environment() | dict(self.environment),
        )


@dataclass(frozen=True, slots=True)
class Fork:
    """The same code without the second that an interpreter takes: *live* in a process forked from this one.

    It stops itself, goes on once strace has taken hold of it, and ends with the exit code that *live* returns.
    """

    live: Callable[[], int]
    begins: str = ""

    def run(self, options: Sequence[str], log: Path) -> "subprocess.CompletedProcess[bytes]":
        """Run it under strace."""
        reading, writing = os.pipe()
        child = forked(lambda: self._live(writing))
        os.close(writing)
        with os.fdopen(reading, "rb") as output:
            os.waitpid(child, os.WUNTRACED)
            command = ["strace", *_QUIET, "-o", str(log), "-p", str(child), *options]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as strace:
                _await_hold(child, strace)
                os.kill(child, signal.SIGCONT)
                told = output.read()
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                complaint = strace.communicate(timeout=_LIMIT)[1]
        return subprocess.CompletedProcess(command, code, told, complaint)

    def _live(self, writing: int) -> None:
        os.dup2(writing, 1)
        os.close(writing)
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - a descriptor, for good
        os.kill(os.getpid(), signal.SIGSTOP)
        code = self.live()
        sys.stdout.flush()
        os._exit(code)


def _await_hold(child: int, strace: "subprocess.Popen[bytes]") -> None:
    for _ in range(20 * _LIMIT):
        if "TracerPid:\t0\n" not in Path(f"/proc/{child}/status").read_text():
            return
        assert strace.poll() is None, strace.communicate()[1].decode()
        time.sleep(0.001)
    raise AssertionError("strace took no hold of the process")


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


def kill_at(
    target: Target, points: Iterable[Point], prepare: Callable[[], object], judge: Callable[[bytes], str]
) -> Findings:
    """Kill *target* at each of *points*; ``killed`` counts the runs that came to theirs.

    *prepare* makes the world anew before each run; *judge* is given the target's output so far, and returns what is
    wrong with the world after it, or nothing. It also finishes the work, as the next start of the program would.
    """
    found = Findings()
    for point in points:
        prepare()
        finished = kill(target, point)
        found.figures["killed"] += finished.returncode == -signal.SIGKILL
        found.count("points", judge(finished.stdout), f"before {point.syscall} {point.occurrence} ({point.text})")
    return found


def kill(target: Target, point: Point) -> "subprocess.CompletedProcess[bytes]":
    """Run *target* until it is killed at *point*."""
    inject = f"inject={point.syscall}:signal=KILL:when={point.occurrence}"
    return target.run(["-e", f"trace={point.syscall}", "-e", inject], Path(os.devnull))


def _only_reads(syscall: str, arguments: str) -> bool:
    return syscall == "openat" and "O_CREAT" not in arguments
