"""``[agents.NAME]`` and the whole: what holds between the tables is checked here."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, PrivateAttr, StrictInt, StringConstraints, field_validator, model_validator

from pawld.model import Platform
from pawld.settings.forms import AbsolutePath, Duration, Word
from pawld.settings.gates import Gate
from pawld.settings.health import Health
from pawld.settings.install import DirectoryInstall, Install, Service
from pawld.settings.pins import Pin
from pawld.settings.section import Section
from pawld.settings.sources import CodeartsSource, Source, TufSource
from pawld.settings.trust import ChecksumsTrust, ManifestTrust, PinnedTrust, Trust, TufTrust
from pawld.settings.updater import Report, Updater

AgentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class PlatformOverride(Section):
    """``[agents.NAME.platform]``: for odd hosts and rehearsals."""

    os: Literal["linux", "macos", "windows"] = Field(description="The operating system.")
    arch: str = Field(pattern=r"^[a-z0-9_]{2,16}$", description="The CPU.", examples=["x86_64", "arm64"])
    libc: Literal["musl"] | None = Field(None, description="musl on such a Linux; leave it out elsewhere.")

    def platform(self) -> Platform:
        """Return it as everything else knows it."""
        return Platform(self.os, self.arch, self.libc)


class Limits(Section):
    """``[agents.NAME.limits]``: when pawld stops trying one build."""

    max_attempts: StrictInt = Field(
        5, ge=1, le=100, description="So often one build is tried before a person is asked."
    )
    block_for: Duration = Field(timedelta(days=7), description="A build that failed is tested again after that.")
    cycle: Duration = Field(timedelta(hours=6), description="One cycle may take so long, its download apart.")


class Agent(Section):
    """One agent that pawld keeps current on this host."""

    product: Word = Field("", description="The agent's name in records; default: its name here.")
    root: AbsolutePath = Field(description="Where its slots and `current` lie.", examples=["/opt/acme-agent"])
    channel: Word = Field("stable", description="The stream of releases that it follows.")
    platform: PlatformOverride | None = Field(None, description="Default: detected.")
    source: Source = Field(description="Where releases and bytes are found.")
    pin: Pin | None = Field(None, description="Who says the version; default: the channel.")
    trust: Trust = Field(description="What proves them.")
    install: Install = Field(default_factory=DirectoryInstall, description="How a build gets onto the host.")
    service: Service | None = Field(None, description="What runs it; default: nothing does.")
    health: Health = Field(default_factory=Health, description="What must hold after a swap.")
    gates: tuple[Gate, ...] = Field((), description="What may say: not now.")
    limits: Limits = Field(default_factory=Limits, description="When pawld stops trying.")
    max_staleness: Duration | None = Field(None, description="As in [updater], for this agent alone.")

    @property
    def is_pawld(self) -> bool:
        """Whether the agent is pawld itself, which the check of the type updater is for."""
        return any(check.type == "updater" for check in self.health.checks)

    @model_validator(mode="after")
    def _service_is_there(self) -> "Agent":
        if self.service is None and any(check.type == "service" for check in self.health.checks):
            raise ValueError("health has a check of the type service, but there is no [service] table")
        return self

    @model_validator(mode="after")
    def _repository_is_there(self) -> "Agent":
        if isinstance(self.source, TufSource) and not isinstance(self.trust, TufTrust):
            raise ValueError(  # noqa: TRY004 - pydantic reports ValueError alone
                'source.type = "tuf" needs trust.type = "tuf", whose repository it reads'
            )
        return self

    @model_validator(mode="after")
    def _version_is_known(self) -> "Agent":
        if isinstance(self.source, CodeartsSource) and self.pin is None and not _names_a_version(self.trust):
            raise ValueError(
                "a codearts source cannot tell which version to run: add a pin, or trust whose record names one"
            )
        return self


class Settings(Section):
    """Everything that the configuration says, complete and valid."""

    updater: Updater = Field(default_factory=Updater, description="pawld itself.")
    report: Report = Field(default_factory=Report, description="Whom it tells.")
    agents: dict[AgentName, Agent] = Field(min_length=1, description="The agents, by name.")

    _origins: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict)

    @field_validator("agents", mode="before")
    @classmethod
    def _name_products(cls, agents: Any) -> Any:
        """An agent's product is its name, unless it says otherwise."""
        if not isinstance(agents, dict):
            return agents
        return {name: {"product": name, **one} if isinstance(one, dict) else one for name, one in agents.items()}

    @model_validator(mode="after")
    def _roots_apart(self) -> "Settings":
        roots: dict[str, str] = {}
        for name, agent in self.agents.items():
            if other := roots.get(str(agent.root)):
                raise ValueError(f"agents {other} and {name} have the same root, {agent.root}")
            roots[str(agent.root)] = name
        return self

    def with_origins(self, origins: Mapping[tuple[str, ...], str]) -> "Settings":
        """Note where each value was written; what is not in *origins* is a default."""
        self._origins = dict(origins)
        return self

    @property
    def origins(self) -> Mapping[tuple[str, ...], str]:
        """Where each value was written: a file, or a variable with its ``$``."""
        return self._origins

    def staleness(self, name: str) -> timedelta:
        """Return the agent's own max_staleness, else the updater's."""
        return self.agents[name].max_staleness or self.updater.max_staleness


def _names_a_version(trust: TufTrust | ManifestTrust | ChecksumsTrust | PinnedTrust) -> bool:
    """Whether the engine can tell the version by itself, before anybody named one."""
    match trust:
        case PinnedTrust():
            return trust.version is not None
        case ChecksumsTrust():
            return "{version}" not in trust.checksums_url
        case ManifestTrust():
            return "{version}" not in trust.manifest_url
        case TufTrust():
            return True
        case _:
            assert_never(trust)
