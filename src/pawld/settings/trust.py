"""``[agents.NAME.trust]``: the engine that proves a record and the bytes. There is no default and no way without."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, model_validator

from pawld.formats.metadata import MOST_METADATA
from pawld.model import Platform
from pawld.settings.choice import ByType, WhenGiven
from pawld.settings.evidence import EvidenceDemand, MinisignKey
from pawld.settings.forms import AbsolutePath, Duration, Sha256, Size, Url, UrlTemplate, Word
from pawld.settings.section import Section


def _platform_name(name: str) -> str:
    Platform.parse(name)
    return name


PlatformName = Annotated[str, AfterValidator(_platform_name), Field(examples=["linux-x86_64", "linux-arm64-musl"])]
_MAX_AGE = "A statement older than this is refused, whatever it says of its own expiry; default: no limit of ours."


class _Trusted(Section):
    evidence: Annotated[EvidenceDemand | None, WhenGiven()] = Field(
        None, description="What else must vouch; default: what the record demands."
    )


class _WithoutEvidence(_Trusted):
    @model_validator(mode="after")
    def _only_what_the_build_carries(self) -> "_WithoutEvidence":
        for kind in self.evidence.of if self.evidence else ():
            if kind not in ("authenticode", "pkgutil"):
                raise ValueError(f'this type of trust has no record that could carry evidence of type "{kind}"')
        return self


class TufTrust(_Trusted):
    """A TUF repository: thresholds, expiry, rotation and rollback protection."""

    type: Literal["tuf"]
    metadata_url: Url = Field(description="Where the metadata lies.")
    root_file: AbsolutePath | None = Field(
        None, description="The root.json that came with the agent.", examples=["/etc/pawld/acme.root.json"]
    )
    root_env: str | None = Field(None, description="The name of a variable that holds that root.json.")
    target: str | None = Field(
        None,
        description="The record's target; default: PRODUCT/CHANNEL/PLATFORM.",
        examples=["acme/stable/linux-x86_64"],
    )

    max_metadata: Size = Field(
        MOST_METADATA,
        ge=64 * 1024,
        le=64 * 1024 * 1024,
        description="The largest document of the repository; a hostile one takes about six times that in memory. "
        "One that is listed without a hash may have 12 MiB where a process without privileges reads it.",
    )

    @model_validator(mode="after")
    def _one_root(self) -> "TufTrust":
        if (self.root_file is None) == (self.root_env is None):
            raise ValueError("tuf trust has root_file or root_env, one of the two")
        return self


class CarriedKeys(Section):
    """Keys that a TUF repository names, so that they rotate without a hand on any host."""

    metadata_url: Url = Field(description="Where the repository's metadata lies.")
    root_file: AbsolutePath = Field(
        description="The repository's root.json.", examples=["/etc/pawld/vendor-keys.root.json"]
    )
    target: str = Field(
        "vendor-keys/{product}.json",
        pattern=r"^([A-Za-z0-9._+/-]|\{product\})+$",
        description="The target that names the keys.",
    )


class _Minisigned(_Trusted):
    public_keys: tuple[MinisignKey, ...] = Field((), min_length=1, description="minisign public keys.")
    keys_from: Annotated[CarriedKeys | None, WhenGiven()] = Field(
        None, description="In place of public_keys: the TUF repository that names them, and their threshold."
    )
    threshold: StrictInt = Field(1, ge=1, description="How many different keys must have signed.")
    max_age: Duration | None = Field(None, description=_MAX_AGE)

    @model_validator(mode="after")
    def _keys_are_named_once(self) -> "_Minisigned":
        if bool(self.public_keys) == (self.keys_from is not None):
            raise ValueError("this type of trust has public_keys or keys_from, one of the two")
        if self.keys_from is not None and self.threshold != 1:
            raise ValueError("threshold stands in the target that keys_from names, not here")
        return self

    @model_validator(mode="after")
    def _enough_keys(self) -> "_Minisigned":
        if len(set(self.public_keys)) < len(self.public_keys):
            raise ValueError("public_keys names one key twice, which would count once")
        if self.public_keys and self.threshold > len(self.public_keys):
            raise ValueError(
                f"threshold = {self.threshold} is more than the {len(self.public_keys)} keys of public_keys"
            )
        return self


class ManifestTrust(_Minisigned):
    """A signed JSON manifest on any static host."""

    type: Literal["signed_manifest"]
    manifest_url: UrlTemplate = Field(
        description="Where the manifest lies.",
        examples=["https://downloads.example.com/agent/{channel}/{platform}.json"],
    )
    signature_url: UrlTemplate | None = Field(None, description="Its signature; default: manifest_url with .minisig.")


class ChecksumsTrust(_Minisigned, _WithoutEvidence):
    """SHA256SUMS and its .minisig, whose trusted comment binds product, version, channel, serial and expiry."""

    type: Literal["signed_checksums"]
    product: Word | None = Field(None, description="The product that the comment must name; default: the agent's.")
    checksums_url: UrlTemplate = Field(description="Where SHA256SUMS lies.")
    filename: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._+{}-]{1,255}$",
        description="Which line of it is this host's build; default: the file that the source names.",
        examples=["acme-agent-{version}-{os}-{arch}.tar.gz"],
    )
    signature_url: UrlTemplate | None = Field(None, description="Its signature; default: checksums_url with .minisig.")


class PinnedTrust(_WithoutEvidence):
    """One digest for each platform, written here."""

    type: Literal["pinned_sha256"]
    sha256: dict[PlatformName, Sha256] = Field(min_length=1, description="The digest of the build, by platform.")
    version: Word | None = Field(None, description="The version of these builds, where no pin and no source names it.")
    filename: Word | None = Field(
        None, description="What the build's file is called, whose ending tells its format, where no source names it."
    )
    max_age: Duration | None = Field(None, description=_MAX_AGE)


Trust = Annotated[TufTrust | ManifestTrust | ChecksumsTrust | PinnedTrust, ByType()]
