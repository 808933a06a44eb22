"""pawld itself as a job of launchd: one property list, loaded now and at every boot."""

import plistlib
from dataclasses import field
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError, TransientError
from pawld.ports import Clock
from pawld.reasons import Reason
from pawld.service.launchd import LaunchdService, Run
from pawld.service.polling import until
from pawld.service.registration import Registered, Style
from pawld.system.clock import SystemClock
from pawld.system.faults import host_faults
from pawld.system.files import write_durably
from pawld.system.process import run as run_here
from pawld.values import dataclass

LABEL = "io.pawld.pawld"
_DAEMONS = Path("/Library/LaunchDaemons")
_LOG = "/Library/Logs/pawld.log"
_EVERY = 3660  # seconds; coprime with an hour, so that hosts drift apart
_PATIENCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class LaunchdRegistration:
    """Registers pawld with launchd; *program* and *config* as for systemd."""

    program: Path
    config: Path | None = None
    daemons: Path = _DAEMONS
    run: Run = run_here
    clock: Clock = field(default_factory=SystemClock)

    def install(self, style: Style) -> None:
        """Write the property list and load it; doing it again brings it up to date.

        ``disable`` outlives ``bootout``, so a job that somebody disabled once is enabled first.
        """
        service = self._service()
        service.stop()
        with host_faults(f"Writing {self._plist}"):
            write_durably(self._plist, plistlib.dumps(self._job(style)), mode=0o644)
        self._load()
        if style is Style.DAEMON:
            self._await()

    def _load(self) -> None:
        self._launchctl("enable", f"system/{LABEL}")
        finished = self.run(["launchctl", "bootstrap", "system", str(self._plist)])
        if not finished.ok:
            raise TransientError(Reason.SERVICE_FAILED, f"launchd did not load {self._plist}: {finished.story}.")

    def _await(self) -> None:
        service = self._service()
        if not until(lambda: service.status().running, self.clock, _PATIENCE):
            raise TransientError(
                Reason.SERVICE_FAILED, f"launchd did not bring pawld up: {service.status().detail}; see {_LOG}."
            )

    def uninstall(self) -> None:
        """Unload the job and remove its property list; configuration, state and agents stay."""
        self._service().stop()
        with host_faults(f"Removing {self._plist}"):
            self._plist.unlink(missing_ok=True)

    def start(self) -> None:
        """Load the job that is installed."""
        if not self._plist.exists():
            raise OperatorError(Reason.CONFIG_INVALID, "launchd has no job of pawld; `pawld service install` first.")
        self._service().stop()
        self._load()

    def stop(self) -> None:
        """Unload the job until the next boot, or the next start."""
        self._service().stop()

    def status(self) -> Registered:
        """Ask launchd."""
        seen = self._service().status()
        return Registered(self._plist.exists() and seen.enabled is not False, seen.running, seen.detail)

    @property
    def _plist(self) -> Path:
        return self.daemons / f"{LABEL}.plist"

    def _job(self, style: Style) -> dict[str, object]:
        words = [str(self.program), *(["--config", str(self.config)] if self.config else [])]
        job: dict[str, object] = {
            "Label": LABEL,
            "ProgramArguments": [*words, "run" if style is Style.DAEMON else "cycle"],
            "RunAtLoad": True,
            "ProcessType": "Background",
            "LowPriorityIO": True,
            "ExitTimeOut": 360,  # seconds that a step under way is given, as under systemd
            "StandardErrorPath": _LOG,
            "StandardOutPath": _LOG,
            "Umask": 0o022,
        }
        # A bad configuration stays bad, but launchd knows no exit code that ends the loop: it is tried once a minute.
        kept = {"KeepAlive": True, "ThrottleInterval": 60}
        return job | (kept if style is Style.DAEMON else {"StartInterval": _EVERY})

    def _service(self) -> LaunchdService:
        return LaunchdService(
            LABEL, agent="pawld", plist=self._plist, daemons=self.daemons, clock=self.clock, run=self.run
        )

    def _launchctl(self, *arguments: str) -> None:
        finished = self.run(["launchctl", *arguments])
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no launchd: {finished.errors}.")
