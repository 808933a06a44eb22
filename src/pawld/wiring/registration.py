"""pawld itself as a service of this host: which manager registers it, and what its agents need of it."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pawld
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.service.registration import Registered, Style, SystemdRegistration
from pawld.settings import Settings, load
from pawld.system.own_command import own_command

_CLOSED = tuple(Path(one) for one in ("/usr", "/etc", "/boot", "/efi", "/bin", "/sbin", "/lib", "/lib64"))
_PACKAGES = ("deb", "rpm")
_NO_WALLS = (
    "# An agent here is a package, whose own scripts may do anything to this host.",
    "ProtectSystem=no",
    "ProtectHome=no",
    "NoNewPrivileges=no",
    "RestrictSUIDSGID=no",
    "CapabilityBoundingSet=~",
    "SystemCallFilter=",
)


class Registration(Protocol):
    """What registers pawld with a service manager."""

    def install(self, style: Style) -> None:
        """Start pawld now and at every boot."""

    def uninstall(self) -> None:
        """Stop it and forget it."""

    def start(self) -> None:
        """Start what is registered."""

    def stop(self) -> None:
        """Stop it until it is started again, or this host is; a step under way is finished or recorded."""

    def status(self) -> Registered:
        """Ask the manager."""


def registration(config: Path | None, program: Path | None = None, system: str = sys.platform) -> Registration:
    """Return what registers pawld here; ``OperatorError`` where the configuration is bad, or the manager unknown."""
    settings = load(config, os.environ)
    where = config.resolve() if config else None
    if system == "darwin":
        from pawld.service.registration_launchd import LaunchdRegistration

        return LaunchdRegistration(program or own_program(), where)
    if system == "win32":
        from pawld.service.registration_windows import WindowsRegistration

        words = (str(program),) if program else tuple(own_command())
        return WindowsRegistration(words, where, settings.updater.state_dir)
    if system != "linux":
        raise OperatorError(Reason.USAGE, f"This pawld cannot register itself as a service on {system} yet.")
    return SystemdRegistration(units_directory(), program or own_program(), where, tuple(walls_of(settings)))


def known_registration(system: str = sys.platform) -> Registration:
    """Return what asks after pawld and removes it, which no configuration is needed for."""
    if system == "darwin":
        from pawld.service.registration_launchd import LaunchdRegistration

        return LaunchdRegistration(Path("/usr/local/bin/pawld"))
    if system == "win32":
        from pawld.service.registration_windows import WindowsRegistration

        return WindowsRegistration(tuple(own_command()))
    return SystemdRegistration(units_directory(), Path("/usr/bin/pawld"))


def units_directory() -> Path:
    """Return where the units of this release lie: in the package, or beside the sources."""
    inside = Path(pawld.__file__).parent / "units"
    return inside if inside.is_dir() else Path(pawld.__file__).parents[2] / "systemd"


def own_program() -> Path:
    """Return the absolute path that this pawld was started by; links such as ``current`` are left as they are."""
    found = shutil.which(sys.argv[0])
    if found is None or not Path(found).name.startswith("pawld"):
        raise OperatorError(Reason.USAGE, "Name the program that starts pawld with --program.")
    return Path(os.path.abspath(found))  # noqa: PTH100 - resolve() would follow the links


def walls_of(settings: Settings) -> Iterator[str]:
    """Yield the lines that open the walls of pawld's units as far as its agents need."""
    if any(agent.install.type in _PACKAGES for agent in settings.agents.values()):
        yield from _NO_WALLS
        return
    places = [settings.updater.state_dir, *(agent.root for agent in settings.agents.values())]
    if settings.report.metrics_file is not None:
        places.append(settings.report.metrics_file.parent)
    for place in dict.fromkeys(places):
        if any(place.is_relative_to(closed) for closed in _CLOSED) or place.is_relative_to("/home"):
            yield f"ReadWritePaths=-{place}"
