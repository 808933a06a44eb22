"""pawld itself as a service of this host: which manager registers it, and what its agents need of it."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pawld
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.service.registration import SystemdRegistration
from pawld.settings import Settings, load

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


def registration(config: Path | None, program: Path | None = None) -> SystemdRegistration:
    """Return what registers pawld here; ``OperatorError`` where the configuration is bad, or the manager unknown."""
    if sys.platform != "linux":
        raise OperatorError(Reason.USAGE, f"This pawld cannot register itself as a service on {sys.platform} yet.")
    settings = load(config, os.environ)
    where = config.resolve() if config else None
    return SystemdRegistration(units_directory(), program or own_program(), where, tuple(walls_of(settings)))


def known_registration() -> SystemdRegistration:
    """Return what asks after pawld and removes it, which no configuration is needed for."""
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
