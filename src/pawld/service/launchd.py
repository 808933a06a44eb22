"""A launchd job in the system domain, through ``launchctl``.

``bootout`` returns before the job is gone, and a ``bootstrap`` in that time fails with "Bootstrap failed: 5": so the
end is awaited, and that failure is tried again. Whether a job is enabled is kept apart from whether it is loaded.
``launchctl print`` is meant for people; of it, only state, pid, runs and how it ended last are read.

The dead man's switch is a job of its own, started after the deadline and written to the disk, so that it survives a
reboot; it is not relied on to: ``pawld recover`` at boot comes first.
"""

import plistlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pawld.errors import OperatorError, TransientError
from pawld.model import Slot
from pawld.ports import Clock, ServiceStatus
from pawld.reasons import Reason
from pawld.service.polling import until
from pawld.system.clock import SystemClock
from pawld.system.faults import host_faults
from pawld.system.process import Finished
from pawld.system.process import run as run_here

Run = Callable[[Sequence[str]], Finished]

_DAEMONS = Path("/Library/LaunchDaemons")
_IN_PROGRESS = 36  # EINPROGRESS "Operation now in progress", of bootout
_BOOTSTRAP_BUSY = (5, 37)  # EIO "Input/output error", EALREADY: the job that was there is still on its way out
_FACT = re.compile(
    r"^\t(state|pid|runs|last exit code|last terminating signal) = (.+)$", re.MULTILINE
)  # one tab: the job's own, no sub-job's


class LaunchdService:
    """The agent's job.

    Args:
        label: the job's label.
        plist: its property list; default: ``/Library/LaunchDaemons/<label>.plist``.
        agent: names the dead man's switch, ``pawld.deadman.<agent>``.
        patience: how long a start or a stop may take.
        daemons: where the switch's own property list is put.
    """

    def __init__(
        self,
        label: str,
        *,
        agent: str,
        plist: Path | None = None,
        patience: timedelta = timedelta(seconds=90),
        daemons: Path = _DAEMONS,
        clock: Clock | None = None,
        run: Run = run_here,
    ) -> None:
        self._label = label
        self._plist = plist or daemons / f"{label}.plist"
        self._deadman = "pawld.deadman." + re.sub(r"[^A-Za-z0-9_.-]", "_", agent)
        self._deadman_plist = daemons / f"{self._deadman}.plist"
        self._patience = patience
        self._clock = clock or SystemClock()
        self._run = run

    def status(self) -> ServiceStatus:
        """Ask launchd; a job that is not loaded is not running. ``runs`` beyond the first are restarts."""
        facts = self._facts()
        enabled = self._enabled()
        if facts is None:
            return ServiceStatus(running=False, enabled=enabled, detail=f"{self._label} is not loaded")
        pid = facts.get("pid", "")
        ended = facts.get("last terminating signal") or facts.get("last exit code", "unknown")
        return ServiceStatus(
            running=facts.get("state") == "running",
            failing=facts.get("state") != "running",  # whoever stops a job for good has it unloaded
            pid=int(pid) if pid.isdigit() else None,
            restarts=max(0, _number(facts.get("runs")) - 1),
            enabled=enabled,
            detail=f"{self._label} is {facts.get('state', 'unknown')}, last exit {ended}",
        )

    def stop(self) -> None:
        """Unload the job and wait until launchd has forgotten it; only then may it be loaded again."""
        if self._facts() is None:
            return
        finished = self._launchctl("bootout", self._target)
        if not finished.ok and finished.code != _IN_PROGRESS and self._facts() is not None:
            raise TransientError(Reason.SERVICE_FAILED, f"launchd did not stop {self._label}: {finished.story}.")
        if not until(lambda: self._facts() is None, self._clock, self._patience):
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"launchd has not let go of {self._label} after {self._patience.total_seconds():g} s.",
            )

    def start(self, slot: Slot) -> None:
        """Load the job afresh, which sets its count of runs to zero, start it, and wait until it runs."""
        if not self._plist.exists():
            raise OperatorError(Reason.CONFIG_INVALID, f"There is no {self._plist} to start {self._label} from.")
        if self._enabled() is False:
            raise OperatorError(Reason.CONFIG_INVALID, f"The job {self._label} is disabled and cannot be started.")
        if self._facts() is None:
            self._bootstrap(self._plist)
        self._launchctl("kickstart", self._target)  # one that RunAtLoad has started is no error
        if not until(lambda: self.status().running, self._clock, self._patience):
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"launchd did not bring {self._label} up from {slot.version}: {self.status().detail}.",
            )

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Load a job that, after *deadline*, unloads the agent's, runs *rollback* and loads the agent's again."""
        job = {
            "Label": self._deadman,
            "ProgramArguments": ["/bin/sh", "-c", self._story(deadline), "pawld-deadman", *rollback],
            "RunAtLoad": True,
            "AbandonProcessGroup": True,
        }
        self._launchctl("bootout", f"system/{self._deadman}")
        with host_faults("Arming the dead man's switch"):
            self._deadman_plist.write_bytes(plistlib.dumps(job))
            self._deadman_plist.chmod(0o644)  # launchd refuses one that others may write
        self._bootstrap(self._deadman_plist)

    def disarm(self) -> None:
        """Unload the switch. One that has fired removed its property list first, and is left to its end."""
        if self._deadman_plist.exists():
            self._deadman_plist.unlink()
            self._launchctl("bootout", f"system/{self._deadman}")

    def evidence(self, since: datetime) -> str:
        """Return what the job itself logged since then, from the unified log; at most the runner's output limit."""
        start = since.astimezone().strftime("%Y-%m-%d %H:%M:%S%z")
        wanted = f'process == "{self._program()}"'
        finished = self._run(["/usr/bin/log", "show", "--style", "syslog", "--start", start, "--predicate", wanted])
        return finished.output if finished.ok else finished.story

    @property
    def _target(self) -> str:
        return f"system/{self._label}"

    def _story(self, deadline: timedelta) -> str:
        """Words for sh, with nothing of others in them but the label and the path, which are quoted."""
        wait = max(1, round(deadline.total_seconds()))
        return (
            f'sleep {wait}; rm -f "{self._deadman_plist}"; launchctl bootout "{self._target}"; '
            f'"$@"; n=0; until launchctl bootstrap system "{self._plist}" || [ $n -ge 30 ]; '
            "do n=$((n+1)); sleep 1; done"
        )

    def _facts(self) -> dict[str, str] | None:
        finished = self._launchctl("print", self._target)
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no launchd: {finished.errors}.")
        if finished.code is None:
            raise TransientError(Reason.SERVICE_FAILED, f"launchd did not answer: {finished.story}.")
        return dict(_FACT.findall(finished.output)) if finished.ok else None

    def _enabled(self) -> bool | None:
        """Read ``print-disabled``: true up to macOS 12, disabled from 13 on; a job that it does not name is enabled."""
        finished = self._launchctl("print-disabled", "system")
        if not finished.ok:
            return None
        found = re.search(rf'"{re.escape(self._label)}" => (\w+)', finished.output)
        return found is None or found[1] in ("false", "enabled")

    def _bootstrap(self, plist: Path) -> None:
        last = self._launchctl("bootstrap", "system", str(plist))

        def accepted() -> bool:
            nonlocal last
            if last.code in _BOOTSTRAP_BUSY:
                last = self._launchctl("bootstrap", "system", str(plist))
            return last.code not in _BOOTSTRAP_BUSY

        until(accepted, self._clock, self._patience)
        if not last.ok:
            raise TransientError(Reason.SERVICE_FAILED, f"launchd did not load {plist.name}: {last.story}.")

    def _program(self) -> str:
        """Name the job's process as the log does."""
        try:
            job = plistlib.loads(self._plist.read_bytes())
            program = job.get("Program") or job["ProgramArguments"][0]
        except (OSError, ValueError, LookupError, AttributeError, plistlib.InvalidFileException):
            return self._label
        return Path(str(program)).name.replace('"', "")

    def _launchctl(self, *arguments: str) -> Finished:
        return self._run(["launchctl", *arguments])


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
