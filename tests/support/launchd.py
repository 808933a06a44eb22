"""A launchd in memory that behaves as the real one does where it hurts.

``bootout`` returns at once and the job lingers for a while; a ``bootstrap`` meanwhile fails with 5; ``print`` of an
unknown job ends with 113. Its texts have the form that public reports quote from macOS 12 to 14; none was recorded on a
Mac of this project yet.
"""

import plistlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pawld.system.process import Finished

PRINTED = """system/{label} = {{
\tactive count = {active}
\tpath = {path}
\ttype = LaunchDaemon
\tstate = {state}

\tprogram = /opt/acme/current/bin/acme
\targuments = {{
\t\t/opt/acme/current/bin/acme
\t\tserve
\t}}

\tdefault environment = {{
\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin
\t}}

\tdomain = system
\tminimum runtime = 10
\texit timeout = 5
\truns = {runs}
{pid}\timmediate reason = {reason}
\tforks = 0
\texecs = 1
\tinitialized = 1
\ttrampolined = 1
\tstarted suspended = 0
\tproxy started suspended = 0
\tchecked allocations = 0 (queried = 1)
\tlast {last_exit}

\tspawn type = daemon (3)
\tjetsam priority = 40
\tresource coalition = {{
\t\tID = 1234
\t\ttype = resource
\t\tstate = active
\t\tactive count = 1
\t\tname = {label}
\t}}

\tproperties = keepalive | runatload | inferred program
}}
"""


@dataclass
class Job:
    """A loaded job."""

    plist: Path
    keys: dict[str, object]
    pid: int | None = None
    runs: int = 0
    last_exit: str = "exit code = (never exited)"
    leaves_at: float | None = None


@dataclass
class FakeLaunchd:
    """launchctl's answers, and a clock that only sleep moves.

    Attributes:
        lingers: seconds that a job is still there after ``bootout``.
        will_run: whether programs can be started at all.
        modern: speak of disabled and enabled jobs as macOS 13 does, not of true and false.
    """

    lingers: float = 1.0
    will_run: bool = True
    modern: bool = True
    at: float = 0.0
    jobs: dict[str, Job] = field(default_factory=dict)
    disabled: dict[str, bool] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    next_pid: int = 500

    def now(self) -> datetime:
        return datetime(2026, 1, 14, tzinfo=UTC) + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, duration: timedelta) -> None:
        self.at += duration.total_seconds()

    def run(self, command: Sequence[str]) -> Finished:
        """Do as launchctl would."""
        self.asked.append(tuple(command))
        self.jobs = {name: job for name, job in self.jobs.items() if job.leaves_at is None or job.leaves_at > self.at}
        if command[0] != "launchctl":
            return Finished(tuple(command), 0, f"{command}\n", "")
        verb = getattr(self, "_" + command[1].replace("-", "_"))
        code, output, errors = verb(*command[2:])
        return Finished(tuple(command), code, output, errors)

    def crash(self, label: str) -> None:
        """Have the job's process die, and launchd start it again."""
        job = self.jobs[label]
        job.last_exit = "terminating signal = Killed: 9"
        job.runs += 1
        job.pid = self._new_pid()

    def _new_pid(self) -> int:
        self.next_pid += 1
        return self.next_pid

    def _start(self, job: Job) -> None:
        job.runs += 1
        job.pid = self._new_pid() if self.will_run else None
        job.last_exit = job.last_exit if self.will_run else "exit code = 78: EX_CONFIG"

    def _bootstrap(self, _domain: str, plist: str) -> tuple[int, str, str]:
        keys = plistlib.loads(Path(plist).read_bytes())
        label = keys["Label"]
        if label in self.jobs or self.disabled.get(label):
            return (
                5,
                "",
                "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.",
            )
        job = self.jobs[label] = Job(Path(plist), keys)
        if keys.get("RunAtLoad"):
            self._start(job)
        return 0, "", ""

    def _bootout(self, target: str) -> tuple[int, str, str]:
        job = self.jobs.get(target.removeprefix("system/"))
        if job is None:
            return 3, "", "Boot-out failed: 3: No such process"
        job.pid, job.leaves_at = None, job.leaves_at or self.at + self.lingers
        return 36, "", "Boot-out failed: 36: Operation now in progress"

    def _kickstart(self, target: str) -> tuple[int, str, str]:
        job = self.jobs.get(target.removeprefix("system/"))
        if job is None:
            return 113, "", f'Could not find service "{target.removeprefix("system/")}" in domain for system'
        if job.pid is None:
            self._start(job)
        return 0, "", ""

    def _enable(self, target: str) -> tuple[int, str, str]:
        self.disabled[target.removeprefix("system/")] = False
        return 0, "", ""

    def _print(self, target: str) -> tuple[int, str, str]:
        label = target.removeprefix("system/")
        job = self.jobs.get(label)
        if job is None:
            return 113, "", f'Bad request.\nCould not find service "{label}" in domain for system\n'
        text = PRINTED.format(
            label=label,
            path=job.plist,
            active=1 if job.pid else 0,
            state="running" if job.pid else "not running",
            runs=job.runs,
            pid=f"\tpid = {job.pid}\n" if job.pid else "",
            reason="speculative",
            last_exit=job.last_exit,
        )
        return 0, text, ""

    def _print_disabled(self, _domain: str) -> tuple[int, str, str]:
        words = ("disabled", "enabled") if self.modern else ("true", "false")
        rows = "".join(f'\t\t"{label}" => {words[not off]}\n' for label, off in self.disabled.items())
        return 0, f'\n\tdisabled services = {{\n{rows}\t\t"com.openssh.sshd" => {words[0]}\n\t}}\n', ""
