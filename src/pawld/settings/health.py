"""``[agents.NAME.health]``: what must hold while a new slot is on probation."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictInt, model_validator

from pawld.settings.choice import ByType
from pawld.settings.forms import Command, Duration, Url
from pawld.settings.section import Section


class _Check(Section):
    every: Duration = Field(timedelta(seconds=10), description="How often it looks.")
    timeout: Duration = Field(timedelta(seconds=10), description="How long one look may take.")


class ServiceCheck(_Check):
    """The service runs, as the same process, and was not restarted."""

    type: Literal["service"]


class CommandCheck(_Check):
    """A command ends with 0."""

    type: Literal["command"]
    command: Command = Field(description="The command.")


class HttpCheck(_Check):
    """An address answers."""

    type: Literal["http"]
    url: Url = Field(description="The address.", examples=["http://127.0.0.1:8125/health"])
    status: StrictInt | None = Field(
        None, ge=100, le=599, description="The status that it must answer; default: any from 200 to 299."
    )


class VersionCheck(_Check):
    """A command prints the version that was installed."""

    type: Literal["version"]
    command: Command = Field(description="The command.")


class UpdaterCheck(_Check):
    """For pawld as its own agent: the new daemon answers, and has refreshed trust by itself."""

    type: Literal["updater"]


Check = Annotated[ServiceCheck | CommandCheck | HttpCheck | VersionCheck | UpdaterCheck, ByType()]


class Health(Section):
    """Probation and its checks."""

    probation: Duration = Field(timedelta(minutes=2), description="How long the checks must hold after a swap.")
    failures: StrictInt = Field(
        2, ge=1, le=100, description="So many failures of one check, among the last `among`, are a failure."
    )
    among: StrictInt = Field(3, ge=1, le=100, description="How many of the last looks count.")
    boots: StrictInt = Field(3, ge=1, le=100, description="After so many starts of the host on probation it goes back.")
    checks: tuple[Check, ...] = Field((), description="The checks.")

    @model_validator(mode="after")
    def _consistent(self) -> "Health":
        if self.failures > self.among:
            raise ValueError(f"failures = {self.failures} can never be reached among = {self.among} looks")
        return self
