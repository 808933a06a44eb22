"""``[agents.NAME.install]`` and ``[agents.NAME.service]``: how a build gets onto the host, and what runs it."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from pawld.settings.choice import ByType
from pawld.settings.forms import AbsolutePath, Command, Duration, Size, Word
from pawld.settings.section import Section


class _Install(Section):
    qualify: Command | None = Field(
        None, description="A command that must end with 0 before the swap.", examples=[["{slot}/bin/acme", "--version"]]
    )
    qualify_timeout: Duration = Field(timedelta(seconds=60), description="How long that command may take.")
    keep: StrictInt = Field(2, ge=2, le=100, description="How many slots stay, the current one among them.")
    reserve: Size = Field(256 << 20, description="Disk space that stays free beside download and slot.")


class DirectoryInstall(_Install):
    """An archive, unpacked into a slot that `current` points at."""

    type: Literal["directory"] = "directory"
    unsafe_allow_links: StrictBool = Field(
        default=False,
        description="Accept symbolic links in the archive that stay inside it; they are refused otherwise.",
    )


class FileInstall(_Install):
    """A single program."""

    type: Literal["file"]
    name: Word | None = Field(None, description="What the program is called in the slot; default: as the record says.")


class MsiInstall(_Install):
    """A Windows Installer package, installed silently; the last one is kept for the way back."""

    type: Literal["msi"]
    properties: dict[str, str] = Field(default_factory=dict, description="Public properties for msiexec.")
    timeout: Duration = Field(timedelta(minutes=15), description="How long msiexec may take.")


class PkgInstall(_Install):
    """A macOS installer package."""

    type: Literal["pkg"]
    identifier: Word | None = Field(
        None, description="The component's identifier; default: the product.", examples=["com.example.acme"]
    )
    team_id: str | None = Field(None, description="The Developer ID team that must have signed it.")
    timeout: Duration = Field(timedelta(minutes=15), description="How long the installer may take.")


class DebInstall(_Install):
    """A Debian package; dpkg stays its owner."""

    type: Literal["deb"]
    package: Word | None = Field(None, description="The package's name; default: the product.")
    timeout: Duration = Field(timedelta(minutes=15), description="How long dpkg may take.")


class RpmInstall(_Install):
    """An RPM package; rpm stays its owner."""

    type: Literal["rpm"]
    package: Word | None = Field(None, description="The package's name; default: the product.")
    timeout: Duration = Field(timedelta(minutes=15), description="How long rpm may take.")


Install = Annotated[DirectoryInstall | FileInstall | MsiInstall | PkgInstall | DebInstall | RpmInstall, ByType()]


class _Service(Section):
    timeout: Duration = Field(timedelta(seconds=90), description="How long a start or a stop may take.")


class SystemdService(_Service):
    """A systemd unit."""

    type: Literal["systemd"]
    unit: str = Field(
        pattern=r"^[A-Za-z0-9:_.@\\-]+\.service$", description="The unit.", examples=["acme-agent.service"]
    )


class LaunchdService(_Service):
    """A launchd job."""

    type: Literal["launchd"]
    label: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="The job's label.", examples=["com.example.acme"])
    plist: AbsolutePath | None = Field(
        None,
        description="Its plist; default: /Library/LaunchDaemons/LABEL.plist.",
        examples=["/Library/LaunchDaemons/com.example.acme.plist"],
    )


class WindowsService(_Service):
    """A Windows service."""

    type: Literal["windows"]
    name: str = Field(pattern=r"^[^/\\]{1,256}$", description="The service's name (not its display name).")


class CommandService(_Service):
    """Commands of the agent's own."""

    type: Literal["command"]
    start: Command = Field(description="Starts it, and ends.")
    stop: Command = Field(description="Stops it, and ends; one that is stopped is no error.")
    is_running: Command = Field(description="Ends with 0 while it runs; a number that it prints is the process id.")


Service = Annotated[SystemdService | LaunchdService | WindowsService | CommandService, ByType()]
