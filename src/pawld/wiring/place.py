"""Where an agent is put and what runs it: installer and service."""

import sys
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from pawld.model import Slot
from pawld.ports import Clock, Installer, Service
from pawld.settings.install import CommandService as CommandSettings
from pawld.settings.install import DirectoryInstall, FileInstall
from pawld.settings.install import LaunchdService as LaunchdSettings
from pawld.settings.install import SystemdService as SystemdSettings
from pawld.settings.models import Agent as AgentSettings
from pawld.system.walls import Walls
from pawld.wiring.surroundings import Surroundings

if TYPE_CHECKING:
    from pawld.install.archive import Unpack
    from pawld.install.contents import Contents
    from pawld.service.deadman import Companion


def installer_of(agent: AgentSettings, around: Surroundings) -> Installer:
    """Return what makes slots of this agent's builds."""
    from pawld.install.pointer import pointer_for
    from pawld.install.slots import SlotInstaller

    settings = agent.install
    contents: Contents
    if isinstance(settings, DirectoryInstall):
        from pawld.install.archive import Links
        from pawld.install.directory import ArchiveContents

        links = Links.INSIDE if settings.unsafe_allow_links else Links.REFUSED
        contents = ArchiveContents(around.platform, links=links, reader=reader_of(around.walls), walls=around.walls)
    elif isinstance(settings, FileInstall):
        from pawld.install.file import ProgramContents

        contents = ProgramContents(around.platform, name=settings.name, walls=around.walls)
    else:
        from pawld.wiring.packages import package_installer_of

        return package_installer_of(agent, settings, around)
    return SlotInstaller(
        agent.root,
        contents,
        pointer_for(agent.root),
        around.clock,
        keep=settings.keep,
        qualify=settings.qualify or (),
        qualify_limit=settings.qualify_timeout,
    )


def reader_of(walls: Walls | None) -> "Unpack":
    """Return what unpacks archives: behind *walls*, where there are any."""
    from pawld.install.archive import unpack

    if walls is None:
        return unpack
    from pawld.install.archive.walled import WalledUnpack

    return WalledUnpack(walls)


def service_of(
    agent: AgentSettings, name: str, state: Path, clock: Clock, current: Callable[[], Slot | None]
) -> Service:
    """Return what runs the agent; without a [service] table nothing does, and nothing is started or stopped."""
    settings = agent.service
    if settings is None:
        from pawld.service.none import NoService

        return NoService()
    if isinstance(settings, SystemdSettings):
        from pawld.service.systemd import SystemdService

        return SystemdService(settings.unit, agent=name, patience=settings.timeout, clock=clock)
    if isinstance(settings, CommandSettings):
        from pawld.install.shelf import Shelf
        from pawld.service.command import CommandService
        from pawld.system.unit import outside_our_unit

        return CommandService(
            start=settings.start,
            stop=settings.stop,
            is_running=settings.is_running,
            root=agent.root,
            current=lambda: current() or Shelf(agent.root).pointed(),
            token=state / "deadman" / name,
            log=state / "logs" / f"{name}.log",
            patience=settings.timeout,
            outside=outside_our_unit(),
            companion=_companion(agent, name, state),
            clock=clock,
        )
    if isinstance(settings, LaunchdSettings):
        from pawld.service.launchd import LaunchdService

        return LaunchdService(settings.label, agent=name, plist=settings.plist, patience=settings.timeout, clock=clock)
    from pawld.service.windows import WindowsService

    root = PureWindowsPath(agent.root)
    switch = _companion(agent, name, state)
    return WindowsService(settings.name, root=root, patience=settings.timeout, switch=switch, clock=clock)


def _companion(agent: AgentSettings, name: str, state: Path) -> "Companion | None":
    """Return the dead man's switch of a host that cannot fork."""
    if sys.platform != "win32":
        return None
    from pawld.service.deadman import Companion
    from pawld.system.walls.child import command_of

    about = {"agent": name, "root": str(agent.root), "state": str(state)}
    return Companion(state / "deadman" / name, command_of("pawld.wiring.way_back"), about)
