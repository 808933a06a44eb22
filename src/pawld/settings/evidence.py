"""``[agents.NAME.trust.evidence]``: what else must vouch for a build, and by which keys this host knows it."""

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StrictInt, StringConstraints, model_validator

from pawld.settings.forms import AbsolutePath, Sha256, Url
from pawld.settings.section import Section

_KEY_LENGTH = 42  # bytes: "Ed", the key's number (8) and the Ed25519 key (32)


def _minisign_key(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != _KEY_LENGTH or raw[:2] != b"Ed":
        raise ValueError("a minisign public key is the second line of its .pub file, which begins with RW")
    return text


MinisignKey = Annotated[
    str,
    AfterValidator(_minisign_key),
    Field(examples=["RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"]),
]
SshKey = Annotated[
    str,
    StringConstraints(pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/=]{16,2048}$"),
    Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUnWEu…"]),
]
TeamId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{10}$"), Field(examples=["ABCDE12345"])]
Kind = Literal["minisign", "sshsig", "sigstore", "authenticode", "pkgutil"]


class MinisignEvidence(Section):
    """Keys of the vendor's that sign builds with minisign."""

    public_keys: tuple[MinisignKey, ...] = Field(min_length=1, description="These keys alone count.")


class SshsigEvidence(Section):
    """A key of the vendor's that signs builds with `ssh-keygen -Y sign`."""

    public_key: SshKey = Field(description="This key alone counts.")


class SigstoreEvidence(Section):
    """Whose Sigstore bundles count; nothing is asked of Sigstore's servers."""

    trusted_root: AbsolutePath = Field(
        description="The trusted root, a JSON file.", examples=["/etc/pawld/sigstore-root.json"]
    )
    identity: str | None = Field(
        None,
        min_length=1,
        description="Who must have signed; default: whom the record names.",
        examples=["https://github.com/acme/agent/.github/workflows/release.yml@refs/heads/main"],
    )
    issuer: Url | None = Field(
        None,
        description="Who vouches for that identity; default: as the record says.",
        examples=["https://token.actions.githubusercontent.com"],
    )


class AuthenticodeEvidence(Section):
    """Whose Authenticode signatures count."""

    ca_file: AbsolutePath | None = Field(
        None,
        description="The certificates that a chain may end in, for osslsigncode; Windows has its own.",
        examples=["/etc/pawld/code-signing.pem"],
    )
    leaf_sha256: Sha256 | None = Field(
        None, description="The digest of the signing certificate; default: as the record says."
    )


class PkgutilEvidence(Section):
    """Whose installer packages count, on macOS."""

    team_id: TeamId | None = Field(None, description="The Developer ID team; default: as the record says.")


class EvidenceDemand(Section):
    """What must vouch beside the record."""

    of: tuple[Kind, ...] = Field((), description="These types must be there, whatever the record says.")
    need: StrictInt | None = Field(
        None, ge=1, description="So many different signers among them are enough; default: one of each type."
    )
    minisign: MinisignEvidence | None = Field(None, description="minisign's.")
    sshsig: SshsigEvidence | None = Field(None, description="OpenSSH's.")
    sigstore: SigstoreEvidence | None = Field(None, description="Sigstore's.")
    authenticode: AuthenticodeEvidence | None = Field(None, description="Authenticode's.")
    pkgutil: PkgutilEvidence | None = Field(None, description="Installer packages'.")

    @model_validator(mode="after")
    def _keys_are_pinned(self) -> "EvidenceDemand":
        """What this host demands by itself it knows by keys of its own, not by those that a record brings."""
        for kind in self.of:
            if not self._signers(kind):
                raise ValueError(f'evidence of type "{kind}" is demanded, but {_WANTED[kind]} is not configured')
        return self

    @model_validator(mode="after")
    def _enough_signers(self) -> "EvidenceDemand":
        there = sum(self._signers(kind) for kind in set(self.of))
        if self.need is not None and self.need > there:
            raise ValueError(f"need = {self.need} is more than the {there} signers that `of` and its keys allow")
        return self

    def _signers(self, kind: Kind) -> int:
        """Return how many different signers of *kind* are pinned here."""
        match kind:
            case "minisign":
                return len(set(self.minisign.public_keys)) if self.minisign else 0
            case "sshsig":
                return 1 if self.sshsig else 0
            case "sigstore":
                return 1 if self.sigstore and self.sigstore.identity and self.sigstore.issuer else 0
            case "authenticode":
                return 1 if self.authenticode and self.authenticode.leaf_sha256 else 0
            case "pkgutil":
                return 1 if self.pkgutil and self.pkgutil.team_id else 0


_WANTED: dict[Kind, str] = {
    "minisign": "minisign.public_keys",
    "sshsig": "sshsig.public_key",
    "sigstore": "sigstore.trusted_root with identity and issuer",
    "authenticode": "authenticode.leaf_sha256",
    "pkgutil": "pkgutil.team_id",
}
