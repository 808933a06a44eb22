"""Builds that a package manager of the operating system installs: which one, and whose lock is waited for."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pawld.gates.package_lock import PackageLockGate
from pawld.ports import Gate, Installer
from pawld.settings.install import DebInstall, MsiInstall, PkgInstall, RpmInstall
from pawld.settings.models import Agent as AgentSettings
from pawld.system.process import run
from pawld.system.unit import in_a_unit_of_its_own
from pawld.wiring.surroundings import Surroundings

if TYPE_CHECKING:
    from pawld.install.packages import PackageManager

PackageInstall = DebInstall | RpmInstall | MsiInstall | PkgInstall

_DPKG_LOCKS = (Path("/var/lib/dpkg/lock-frontend"), Path("/var/lib/dpkg/lock"))


def package_installer_of(agent: AgentSettings, settings: PackageInstall, around: Surroundings) -> Installer:
    """Return what keeps this agent's packages and has them installed."""
    from pawld.install.packages import PackageContents, PackageInstaller
    from pawld.install.pointer import pointer_for
    from pawld.install.slots import SlotInstaller

    manager = _manager(agent, settings, around)
    shelf = SlotInstaller(
        agent.root,
        PackageContents(manager),
        pointer_for(agent.root),
        around.clock,
        keep=settings.keep,
        qualify=settings.qualify or (),
        qualify_limit=settings.qualify_timeout,
    )
    return PackageInstaller(shelf, manager, _locks_of(settings) or tuple)


def lock_gates_of(agent: AgentSettings) -> Sequence[Gate]:
    """Return the gate that is closed while the package manager's lock is held; none where it has no such lock."""
    locks = _locks_of(agent.install)
    return [PackageLockGate(locks)] if locks else []


def _locks_of(install: object) -> Callable[[], Sequence[Path]] | None:
    match install:
        case DebInstall():
            return lambda: _DPKG_LOCKS
        case RpmInstall():
            return _rpm_locks
        case _:
            return None


def _manager(agent: AgentSettings, settings: PackageInstall, around: Surroundings) -> "PackageManager":
    match settings:
        case DebInstall():
            from pawld.install.deb import Dpkg

            name = settings.package or agent.product
            return Dpkg(name, around.platform, limit=settings.timeout, outside=_outside(settings))
        case RpmInstall():
            from pawld.install.rpm import Rpm

            name = settings.package or agent.product
            return Rpm(name, around.platform, limit=settings.timeout, outside=_outside(settings))
        case MsiInstall():
            from pawld.install.msi import WindowsInstaller
            from pawld.install.shelf import Shelf
            from pawld.system.windows_installer import HostProducts

            return WindowsInstaller(
                around.platform,
                HostProducts(),
                lambda: [slot.path / "package.msi" for slot in Shelf(agent.root).slots()],
                log=around.state / "logs" / f"{around.agent}.msi.log",
                properties=settings.properties,
                limit=settings.timeout,
            )
        case PkgInstall():
            from pawld.install.pkg import MacInstaller

            identifier = settings.identifier or agent.product
            return MacInstaller(identifier, around.platform, team_id=settings.team_id, limit=settings.timeout)


def _outside(settings: DebInstall | RpmInstall) -> Sequence[str]:
    from pawld.install.package_faults import QUIET

    return in_a_unit_of_its_own(settings.timeout, QUIET)


def _rpm_locks() -> Sequence[Path]:
    """Where rpm's lock lies is a macro of the distribution's."""
    if shutil.which("rpm") is None:
        return ()
    finished = run(["rpm", "--eval", "%{_dbpath}"])
    return [Path(finished.output.strip()) / ".rpm.lock"] if finished.ok else ()
