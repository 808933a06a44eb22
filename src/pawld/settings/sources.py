"""``[agents.NAME.source]``: where releases and bytes are found, and how to sign in there."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pawld.settings.choice import ByType
from pawld.settings.forms import Host, Url, UrlTemplate
from pawld.settings.section import Credential, Section

HuaweiId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]{32}$"), Field(examples=["6ba9a2dbc7024c22a9a6614516dc22db"])
]


class TokenAuth(Section):
    """A token that was issued elsewhere."""

    type: Literal["token"]
    token: Credential = Field(description="the X-Auth-Token.")


class KeyAuth(Section):
    """A Huawei access key: each request is signed with it (SDK-HMAC-SHA256)."""

    type: Literal["aksk"]
    access_key: Credential = Field(description="the access key id (AK).")
    secret_key: Credential = Field(description="the secret access key (SK).")
    security_token: Credential | None = Field(None, description="the security token of a temporary key.")


class PasswordAuth(Section):
    """A Huawei IAM user, for whom tokens are fetched and renewed before their 24 hours end."""

    type: Literal["password"]
    iam_url: Url = Field(description="The IAM endpoint.", examples=["https://iam.cn-north-4.myhuaweicloud.com"])
    domain: str = Field(min_length=1, description="The account (domain) that the user belongs to.")
    user: str = Field(min_length=1, description="The IAM user's name.")
    project: str = Field(
        min_length=1, description="The IAM project that tokens are scoped to.", examples=["cn-north-4"]
    )
    password: Credential = Field(description="the IAM user's password.")


Auth = Annotated[TokenAuth | KeyAuth | PasswordAuth, ByType()]


class _Source(Section):
    final_hosts: tuple[Host, ...] = Field(
        (), description="Hosts at which a redirect to the bytes may end; empty allows any public one."
    )


class ScalepadSource(_Source):
    """The ScalePad agent-releases API."""

    type: Literal["scalepad"]
    base_url: Url = Field(
        description="The API's address with its version part.", examples=["https://api.example.com/v2"]
    )
    token: Credential | None = Field(None, description="the API token, sent as a bearer token to this origin alone.")


class CodeartsSource(_Source):
    """Huawei CodeArts Pipeline: locates the bytes of a version that a pin or the signed record names."""

    type: Literal["codearts"]
    base_url: Url = Field(
        description="The region's Pipeline endpoint.",
        examples=["https://cloudpipeline-ext.cn-north-4.myhuaweicloud.com"],
    )
    project_id: HuaweiId = Field(description="The CodeArts project.")
    pipeline_id: HuaweiId = Field(description="The pipeline.")
    pipeline_run_id: HuaweiId = Field(description="The run of the pipeline.")
    job_run_id: HuaweiId = Field(description="The run of the job.")
    arch_names: dict[str, str] = Field(
        default_factory=dict, description="What the API calls each CPU; one that is not here keeps its own name."
    )
    auth: Auth = Field(description="How to sign in.")


class TufSource(_Source):
    """The bytes lie in the TUF repository that [trust] names."""

    type: Literal["tuf"]
    targets_url: Url | None = Field(
        None,
        description="Where targets lie; default: `targets` beside metadata_url.",
        examples=["https://cdn.example.com/targets"],
    )
    token: Credential | None = Field(None, description="a bearer token, sent to this origin alone.")


class ManifestSource(_Source):
    """The bytes lie on a static host, where the signed manifest says or under a template."""

    type: Literal["manifest"]
    url: UrlTemplate | None = Field(
        None,
        description="Where the bytes lie; default: the manifest's own sources, else its file name beside the manifest.",
        examples=["https://downloads.example.com/agent/{version}/{filename}"],
    )
    token: Credential | None = Field(None, description="a bearer token, sent to this origin alone.")


Source = Annotated[ScalepadSource | CodeartsSource | TufSource | ManifestSource, ByType()]
