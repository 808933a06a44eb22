"""``[agents.NAME.pin]``: who says which version this host shall run, when it is not the channel."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints, model_validator

from pawld.settings.choice import ByType
from pawld.settings.forms import Url, Word
from pawld.settings.section import Credential, Section

Pfid = Annotated[
    str,
    StringConstraints(pattern=r"^[0-7][0-9a-hjkmnp-tv-z]{31}$"),
    Field(examples=["013xrzp12g3nqk8ns6jadrqmpgrjkeny"]),
]


class _Pin(Section):
    allow_downgrade: StrictBool = Field(
        default=False, description="A version below the installed one is meant; never below a signed security floor."
    )


class FixedPin(_Pin):
    """One version, named here."""

    type: Literal["fixed"]
    version: Word = Field(description="The version.", examples=["1.8.3"])


class PrefactorPin(_Pin):
    """The version that a Prefactor deployment, or one agent version, names."""

    type: Literal["prefactor"]
    base_url: Url = Field("https://app.prefactorai.com", description="The API's address, without /api/v1.")
    token: Credential = Field(description="the API token.")
    deployment_id: Pfid | None = Field(None, description="The deployment whose current version counts.")
    agent_version_id: Pfid | None = Field(None, description="The agent version, where no deployment is named.")
    allow_ambiguous: StrictBool = Field(default=False, description="Accept an identifier that several versions share.")

    @model_validator(mode="after")
    def _one_of_two(self) -> "PrefactorPin":
        if (self.deployment_id is None) == (self.agent_version_id is None):
            raise ValueError("a prefactor pin has deployment_id or agent_version_id, one of the two")
        return self


class HawkbitPin(_Pin):
    """The version that a hawkBit (DDI) server deploys to this host; outcomes are reported to it.

    Without a deployment the host stays as it is. A forced one passes this host's windows, and no other gate.
    """

    type: Literal["hawkbit"]
    base_url: Url = Field(description="The server's address.", examples=["https://hawkbit.example.com"])
    tenant: Word = Field("DEFAULT", description="The tenant.")
    controller_id: Word | None = Field(None, description="What the server calls this host; default: the host id.")
    token: Credential = Field(description="the target's or the gateway's token.")
    token_kind: Literal["target", "gateway"] = Field("target", description="Whose token it is.")
    attributes: dict[str, str] = Field(
        default_factory=dict, description="What else the server is told of this host, beside platform and version."
    )


Pin = Annotated[FixedPin | PrefactorPin | HawkbitPin, ByType()]
