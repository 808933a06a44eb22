"""``[[agents.NAME.gates]]``: what may say "not now" to a swap."""

from datetime import time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StrictInt, StringConstraints, model_validator

from pawld.settings.choice import ByType
from pawld.settings.forms import AbsolutePath, Command, Duration, Url, Word
from pawld.settings.section import Credential, Section
from pawld.settings.sources import Auth, HuaweiId

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$"), Field(examples=["02:00", "23:30"])]
_EVERY_DAY: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError('a timezone is a name such as "UTC" or "Europe/Berlin"') from None
    return name


class _Gate(Section):
    max_deferral: Duration = Field(
        timedelta(days=14), description="After so long a deferral the status turns to an alarm."
    )


class WindowGate(_Gate):
    """Open from one time of day to another. It may run past midnight, and belongs to the day it starts."""

    type: Literal["window"]
    days: tuple[Day, ...] = Field(_EVERY_DAY, min_length=1, description="The days.")
    from_: TimeOfDay = Field(alias="from", description="When it opens.")
    to: TimeOfDay = Field(description="When it closes.")
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field("UTC", description="Whose clock.")

    @model_validator(mode="after")
    def _not_empty(self) -> "WindowGate":
        if self.from_ == self.to:
            raise ValueError("from and to are the same time, so that the window would never open")
        return self

    @property
    def opens(self) -> time:
        """When it opens, by the clock of *timezone*."""
        return time.fromisoformat(self.from_)

    @property
    def closes(self) -> time:
        """When it closes, by the clock of *timezone*; before ``opens`` means: on the next day."""
        return time.fromisoformat(self.to)


class BusyGate(_Gate):
    """Closed while the agent works: a command, a lock or pid file, or open sessions on a port."""

    type: Literal["busy"]
    command: Command | None = Field(None, description="Ends with 0 while the host is free.")
    lock_file: AbsolutePath | None = Field(None, description="Held, or its pid alive, while the host is busy.")
    port: StrictInt | None = Field(None, ge=1, le=65535, description="A TCP port with open sessions while it is busy.")
    timeout: Duration = Field(timedelta(seconds=30), description="How long the command may take.")

    @model_validator(mode="after")
    def _one_signal(self) -> "BusyGate":
        if sum(signal is not None for signal in (self.command, self.lock_file, self.port)) != 1:
            raise ValueError("a busy gate has command, lock_file or port, one of the three")
        return self


class WatchedRun(Section):
    """A pipeline's run that may be executing on this host."""

    pipeline_id: HuaweiId = Field(description="The pipeline.")
    pipeline_run_id: HuaweiId | None = Field(None, description="The run; default: the pipeline's latest.")


class CodeartsRunGate(_Gate):
    """Closed while one of these CodeArts pipeline runs executes, or nobody knows."""

    type: Literal["codearts_run"]
    base_url: Url = Field(description="The region's Pipeline endpoint.")
    project_id: HuaweiId = Field(description="The CodeArts project.")
    auth: Auth = Field(description="How to sign in.")
    runs: tuple[WatchedRun, ...] = Field(min_length=1, description="The runs that are watched.")


class CodeartsPoolGate(_Gate):
    """Open while this CodeArts Check resource pool is the selected one."""

    type: Literal["codearts_pool"]
    base_url: Url = Field(description="The region's Check endpoint.")
    task_id: HuaweiId = Field(description="The task.")
    auth: Auth = Field(description="How to sign in.")
    pool_id: str = Field(min_length=1, description="The pool that this host belongs to.")
    pool_type: str | None = Field(
        None, description="The type that the pool must have, in any letter case.", examples=["LINUX"]
    )


class FleetLockGate(_Gate):
    """A FleetLock semaphore, taken before the swap and given back after probation."""

    type: Literal["fleet_lock"]
    base_url: Url = Field(description="The lock server.", examples=["https://airlock.example.com"])
    group: str = Field("default", pattern=r"^[A-Za-z0-9.-]+$", description="The group.")
    id: Word | None = Field(
        None,
        description="What the server calls this host; default: the host id, and the agent where there are several.",
    )


class EtcdLockGate(_Gate):
    """A leased semaphore in etcd, by its JSON gateway."""

    type: Literal["etcd_lock"]
    endpoints: tuple[Url, ...] = Field(min_length=1, description="etcd's addresses, tried in order.")
    key: str = Field("pawld/default", pattern=r"^[A-Za-z0-9._/-]+$", description="The semaphore's key.")
    slots: StrictInt = Field(1, ge=1, le=10_000, description="How many hosts may swap at once.")
    lease: Duration = Field(
        timedelta(seconds=60), description="After so long without a sign of life a place is free again."
    )
    user: str | None = Field(None, description="The etcd user.")
    password: Credential | None = Field(None, description="the etcd user's password.")
    ca_file: AbsolutePath | None = Field(None, description="The certificates that etcd's own is checked against.")

    @model_validator(mode="after")
    def _whole_login(self) -> "EtcdLockGate":
        if (self.user is None) != (self.password is None):
            raise ValueError("an etcd_lock gate has both user and password_file, or neither")
        return self


class PowerGate(_Gate):
    """Closed while the host runs on battery."""

    type: Literal["power"]
    min_battery: StrictInt = Field(
        100, ge=1, le=100, description="On battery it is open from this charge (in percent); 100: never on battery."
    )


Gate = Annotated[
    WindowGate | BusyGate | CodeartsRunGate | CodeartsPoolGate | FleetLockGate | EtcdLockGate | PowerGate,
    ByType(),
]
