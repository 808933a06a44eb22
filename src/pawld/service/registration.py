"""pawld itself as a service of systemd: its units written, switched on, asked after and taken away again.

Units that a package brought stay the package's; then only what this host needs besides is written, as a drop-in.
"""

import shutil
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.system.files import make_directory, staged_name, write_durably
from pawld.system.process import Finished
from pawld.system.process import run as run_here
from pawld.values import dataclass

Run = Callable[[Sequence[str]], Finished]

OURS = "# Written by `pawld service install`; `pawld service uninstall` removes it.\n"
ADMINISTRATORS, PACKAGES = Path("/etc/systemd/system"), Path("/usr/lib/systemd/system")
_PROGRAM = "/usr/bin/pawld"  # as the units name it
_ALWAYS = ("pawld.service", "pawld-recover.service")
_TIMED = ("pawld-once.service", "pawld.timer")
_DROP_IN = "10-host.conf"
_NOT_RUNNING = ("Failed to connect to bus", "not been booted with systemd")  # what systemctl says in most containers


class Style(Enum):
    """How pawld runs: all the time, or from a timer."""

    DAEMON = "daemon"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Registered:
    """What systemd says of pawld.

    Attributes:
        text: its own line of status.
    """

    enabled: bool
    running: bool
    text: str


@dataclass(frozen=True, slots=True)
class SystemdRegistration:
    """Registers pawld with systemd.

    Args:
        units: where the units of this release lie.
        program: the absolute path that starts pawld.
        config: the configuration that it is to go by; None is the system's own place.
        walls: what this host's agents need beyond the units' walls, as lines of a [Service] section.
    """

    units: Path
    program: Path
    config: Path | None = None
    walls: Sequence[str] = ()
    administrators: Path = ADMINISTRATORS
    packages: Path = PACKAGES
    run: Run = run_here

    def install(self, style: Style) -> None:
        """Write the units, make the user, start pawld now and at every boot; again, it brings them up to date.

        A program that is not there yet, since pawld is to install itself, is started at its first swap.
        """
        wanted = _ALWAYS if style is Style.DAEMON else (*_ALWAYS, *_TIMED)
        with host_faults(f"Writing {self.administrators}"):
            for name in wanted:
                self._write(name)
        # Without the user pawld works as well, and its doctor says what is missing then.
        self.run(["systemd-sysusers", str(self.units / "pawld.sysusers")])
        self._systemctl("daemon-reload")
        self._systemctl("enable", "pawld-recover.service")
        if style is Style.DAEMON:
            self._systemctl("enable", "pawld.service")
            if self.program.exists():
                self._systemctl("restart", "pawld.service")
        else:
            self._systemctl("enable", "--now", "pawld.timer")

    def uninstall(self) -> None:
        """Stop pawld and forget it; configuration, state and agents stay as they are."""
        names = (*_TIMED[::-1], *_ALWAYS)
        for name in names:
            self.run(["systemctl", "disable", "--now", name])
        with host_faults(f"Writing {self.administrators}"):
            for name in names:
                self._remove(name)
        self._systemctl("daemon-reload")

    def start(self) -> None:
        """Start the daemon."""
        self._systemctl("start", "pawld.service")

    def stop(self) -> None:
        """Stop whatever of it runs."""
        self._systemctl("stop", "--no-block", *_TIMED[::-1], "pawld.service")

    def status(self) -> Registered:
        """Ask systemd."""
        asked = "--property=ActiveState,UnitFileState,StatusText"
        seen = {}
        for unit in ("pawld.service", "pawld.timer"):
            lines = self._systemctl("show", unit, asked).output.splitlines()
            seen = dict(line.partition("=")[::2] for line in lines)
            if seen.get("ActiveState") == "active":
                break
        return Registered(
            seen.get("UnitFileState") == "enabled", seen.get("ActiveState") == "active", seen.get("StatusText", "")
        )

    def _write(self, name: str) -> None:
        if not (self.packages / name).exists():
            text = (self.units / name).read_text(encoding="utf-8")
            command = str(self.program) + (f" --config {self.config}" if self.config else "")
            write_durably(self.administrators / name, (OURS + text.replace(_PROGRAM, command)).encode(), mode=0o644)
        drop_in = self.administrators / f"{name}.d" / _DROP_IN
        if self.walls and name.endswith(".service"):
            make_directory(drop_in.parent)
            write_durably(drop_in, (OURS + "\n".join(["[Service]", *self.walls, ""])).encode(), mode=0o644)
        else:
            drop_in.unlink(missing_ok=True)

    def _remove(self, name: str) -> None:
        """Remove what is ours; what an administrator wrote in its place stays."""
        unit, drop_ins = self.administrators / name, self.administrators / f"{name}.d"
        if unit.is_file() and unit.read_text(encoding="utf-8", errors="replace").startswith(OURS):
            unit.unlink()
        staged_name(unit).unlink(missing_ok=True)  # of an installation that a full disk broke off
        for one in (drop_ins / _DROP_IN, staged_name(drop_ins / _DROP_IN)):
            one.unlink(missing_ok=True)
        if drop_ins.is_dir() and not any(drop_ins.iterdir()):
            shutil.rmtree(drop_ins)

    def _systemctl(self, *arguments: str) -> Finished:
        finished = self.run(["systemctl", "--no-ask-password", *arguments])
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no systemd: {finished.errors}.")
        if any(sign in finished.errors for sign in _NOT_RUNNING):
            raise OperatorError(
                Reason.CONFIG_INVALID,
                f"systemd does not run here ({finished.errors.strip().splitlines()[-1]}): have what starts programs on "
                "this host start `pawld run`, or `pawld cycle` now and then.",
            )
        if not finished.ok:
            raise TransientError(Reason.SERVICE_FAILED, f"systemd refused: {finished.story}.")
        return finished
