"""A systemd unit, through ``systemctl``: it blocks nothing for ever, and states are polled instead of believed.

The dead man's switch is a transient timer, so that it fires though pawld be dead, killed or broken. Transient timers
are gone after a reboot: ``pawld recover`` at boot does that part.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from pawld.errors import OperatorError, TransientError
from pawld.model import Slot
from pawld.ports import Clock, ServiceStatus
from pawld.reasons import Reason
from pawld.service.polling import until
from pawld.system.clock import SystemClock
from pawld.system.faults import reason_of
from pawld.system.process import Finished
from pawld.system.process import run as run_here

Run = Callable[[Sequence[str]], Finished]

_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "MainPID",
    "NRestarts",
    "UnitFileState",
    "Result",
    "NeedDaemonReload",
    "ActiveExitTimestampMonotonic",
    "ExecMainExitTimestampMonotonic",
)
_RUNNING = ("active", "reloading", "refreshing")
_STOPPED = ("inactive", "failed")
_ENDED_BY_SYSTEMD = ("oom-kill", "start-limit-hit", "watchdog")  # results that no administrator's stop has
_ENABLED = {"enabled": True, "enabled-runtime": True, "alias": True, "disabled": False, "masked": False}
_AFTER_KILL = timedelta(seconds=10)  # until systemd has noticed that what it killed is dead
_EVIDENCE_LINES = 1000
_ENV = "/usr/bin/env"  # systemd wants a path, and systemctl is not everywhere at the same one


class SystemdService:
    """The agent's unit.

    Args:
        unit: its full name, ``acme-agent.service``.
        agent: names the dead man's switch, ``pawld-deadman-<agent>``.
        patience: how long a start may take, and a stop before what is left is killed.
        run: how ``systemctl`` and its like are reached.
    """

    def __init__(
        self,
        unit: str,
        *,
        agent: str,
        patience: timedelta = timedelta(seconds=90),
        clock: Clock | None = None,
        run: Run = run_here,
    ) -> None:
        self._unit = unit
        self._deadman = "pawld-deadman-" + re.sub(r"[^A-Za-z0-9_.-]", "_", agent)
        self._patience = patience
        self._clock = clock or SystemClock()
        self._run = run

    def status(self) -> ServiceStatus:
        """Ask systemd; a unit that it does not know is not running."""
        seen = self._show()
        pid = int(seen.get("MainPID", "0") or 0)
        return ServiceStatus(
            running=seen["ActiveState"] in _RUNNING,
            failing=seen["ActiveState"] == "activating" or (seen["ActiveState"] == "failed" and _fell(seen)),
            pid=pid or None,
            restarts=int(seen.get("NRestarts", "0") or 0),
            enabled=_ENABLED.get(seen.get("UnitFileState", "")),
            detail=self._told(seen),
        )

    def stop(self) -> None:
        """Stop the unit; one that is not gone after *patience* (longer than systemd's own) is killed."""
        if self._stopped():
            return
        self._must("stop", "--no-block", self._unit)
        if until(self._stopped, self._clock, self._patience):
            return
        self._systemctl("kill", "--signal=SIGKILL", self._unit)
        if not until(self._stopped, self._clock, _AFTER_KILL):
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"systemd did not stop {self._unit} within {self._patience.total_seconds():g} s, nor by killing it.",
            )

    def start(self, slot: Slot) -> None:
        """Start the unit, whose ``ExecStart`` leads through ``current``, and wait until it is active.

        What failed before is forgotten first, and with it the count of restarts and systemd's start limit.
        """
        seen = self._show()
        self._refuse_unstartable(seen)
        if seen.get("NeedDaemonReload") == "yes":
            self._must("daemon-reload")
        self._systemctl("reset-failed", self._unit)
        self._must("start", "--no-block", self._unit)
        if not until(self._settled, self._clock, self._patience) or not self.status().running:
            raise TransientError(
                Reason.SERVICE_FAILED,
                f"systemd did not bring {self._unit} up from {slot.version}: {self._told(self._show())}.",
            )

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Have a timer of systemd stop the unit, run *rollback* and start the unit again, whatever *rollback* did.

        An agent that does not stop is killed there too.
        """
        self.disarm()
        seconds = max(1.0, deadline.total_seconds())
        patience = self._patience.total_seconds()
        self._done(
            self._run(
                [
                    "systemd-run",
                    "--quiet",
                    "--collect",
                    f"--unit={self._deadman}",
                    f"--description=Takes {self._unit} back unless pawld calls it off",
                    f"--on-active={seconds:g}s",
                    "--timer-property=AccuracySec=1s",
                    "--service-type=oneshot",
                    f"--property=ExecStartPre=-{_ENV} timeout {patience:g} systemctl stop {self._unit}",
                    f"--property=ExecStartPre=-{_ENV} systemctl kill --signal=SIGKILL {self._unit}",
                    f"--property=ExecStopPost=-{_ENV} systemctl start {self._unit}",
                    "--",
                    *rollback,
                ]
            )
        )

    def disarm(self) -> None:
        """Stop the timer. The rollback itself, once it runs, is left to its end: it may be what calls this.

        ``TransientError`` where it may still fire: what is reported as done must not be undone by it.
        """
        timer = f"{self._deadman}.timer"
        if not self._systemctl("stop", timer).ok:  # so ends a timer that was never there as well
            shown = self._must("show", timer, "--property=ActiveState")
            if shown.output.strip().removeprefix("ActiveState=") not in _STOPPED:
                raise TransientError(Reason.SERVICE_FAILED, f"systemd did not stop {timer}: {shown.output.strip()}.")
        self._systemctl("reset-failed", f"{self._deadman}.service", f"{self._deadman}.timer")

    def evidence(self, since: datetime) -> str:
        """Return the unit's journal since then, its last thousand lines; or the sentence why there is none."""
        asked = ["journalctl", f"--unit={self._unit}", f"--since=@{int(since.timestamp())}"]
        finished = self._run([*asked, "--no-pager", "--output=short-iso-precise", f"--lines={_EVIDENCE_LINES}"])
        return finished.output if finished.ok else finished.story

    def _show(self) -> dict[str, str]:
        finished = self._must("show", self._unit, f"--property={','.join(_PROPERTIES)}")
        seen = dict(line.partition("=")[::2] for line in finished.output.splitlines())
        if "ActiveState" not in seen:
            raise TransientError(Reason.SERVICE_FAILED, f"systemd did not tell the state of {self._unit}.")
        return seen

    def _stopped(self) -> bool:
        return self._show()["ActiveState"] in _STOPPED

    def _settled(self) -> bool:
        """It runs, or systemd has given up on it; a pause before an automatic restart is neither."""
        return self._show()["ActiveState"] in (*_RUNNING, *_STOPPED)

    def _refuse_unstartable(self, seen: dict[str, str]) -> None:
        if seen["LoadState"] == "not-found":
            raise OperatorError(Reason.CONFIG_INVALID, f"systemd knows no unit {self._unit}.")
        if seen["LoadState"] == "masked":
            raise OperatorError(Reason.CONFIG_INVALID, f"The unit {self._unit} is masked and cannot be started.")

    def _told(self, seen: dict[str, str]) -> str:
        if seen["LoadState"] != "loaded":
            return f"{self._unit} is {seen['LoadState']}"
        result = "" if seen.get("Result", "success") == "success" else f", result {seen['Result']}"
        return f"{self._unit} is {seen['ActiveState']} ({seen.get('SubState', 'unknown')}{result})"

    def _must(self, *arguments: str) -> Finished:
        return self._done(self._systemctl(*arguments))

    def _systemctl(self, *arguments: str) -> Finished:
        return self._run(["systemctl", "--no-ask-password", *arguments])

    def _done(self, finished: Finished) -> Finished:
        if finished.ok:
            return finished
        if finished.shortage:
            reason = reason_of(OSError(finished.shortage, ""))
            raise TransientError(reason, f"systemctl could not be run: {finished.errors}.")
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no systemd: {finished.errors}.")
        raise TransientError(Reason.SERVICE_FAILED, f"systemd refused: {finished.story}.")


def _fell(failed: Mapping[str, str]) -> bool:
    """Whether nobody stopped a failed unit: its process ended before the unit left its active state, not after."""
    left, ended = (int(failed.get(f"{one}TimestampMonotonic") or 0) for one in ("ActiveExit", "ExecMainExit"))
    return failed.get("Result") in _ENDED_BY_SYSTEMD or left == 0 or ended <= left
