"""ScalePad's documents about releases, and what makes one usable.

The documents leave open which fields may be null, so all but the version may be. Their sample digests have 16 digits;
a digest that proves anything has 64, and others are refused.
"""

import re
from datetime import UTC, datetime
from typing import Any

from pawld.errors import OperatorError
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.vendors.api import misunderstood
from pawld.vendors.forms import Form, read

VENDOR = "ScalePad"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_FILENAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")


class ArtifactForm(Form):
    """``AgentArtifact``: one file of a release."""

    filename: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    download_url: str | None = None


class ReleaseForm(Form):
    """``AgentRelease``: what is published under one version."""

    version: str
    published_at: str | None = None
    notes_url: str | None = None
    artifacts: dict[str, Any] | None = None

    @property
    def published(self) -> datetime | None:
        """When it was published, as far as the text can be read."""
        try:
            moment = datetime.fromisoformat(self.published_at or "")
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class PageForm(Form):
    """One page of the list; the last one has no ``next_cursor``, or null."""

    data: list[dict[str, Any]]
    next_cursor: str | None = None


def artifact_of(release: ReleaseForm, platform: Platform) -> ArtifactForm | None:
    """Return the release's file for *platform*; None where it is absent or null.

    ``RejectedError`` (answer_not_understood) where its digest, length or name cannot be one.
    """
    entry = (release.artifacts or {}).get(platform.os)
    if isinstance(entry, dict) and not ArtifactForm.model_fields.keys() & entry.keys():
        entry = entry.get(platform.arch)
    if entry is None or entry == {}:
        return None
    artifact = read(ArtifactForm, entry, VENDOR, f"the artifact for {platform} of {release.version}")
    for value, form, name in (
        (artifact.sha256, _SHA256, "sha256 is not 64 hexadecimal digits"),
        (artifact.filename, _FILENAME, "filename is not the name of a file"),
    ):
        if value is not None and not form.fullmatch(value):
            raise misunderstood(VENDOR, f"for {platform} of {release.version}, {name}")
    if artifact.size_bytes is not None and artifact.size_bytes <= 0:
        raise misunderstood(VENDOR, f"for {platform} of {release.version}, size_bytes is {artifact.size_bytes}")
    return artifact


def checked_version(version: str) -> str:
    """Return *version* where it can name a release; ``OperatorError`` (pin_unsatisfied) otherwise."""
    if not _usable(version):
        raise OperatorError(Reason.PIN_UNSATISFIED, f"{VENDOR} cannot have a release with the version {version!r}.")
    return version


def read_release(value: Any) -> ReleaseForm:
    """Return *value* as a release; ``RejectedError`` (answer_not_understood) where it is none."""
    release = read(ReleaseForm, value, VENDOR, "a release")
    if not _usable(release.version):
        raise misunderstood(VENDOR, f"{release.version[:64]!r} is no version")
    return release


def _usable(version: str) -> bool:
    """``latest`` would lead to the mutable alias."""
    return bool(_VERSION.fullmatch(version)) and version != "latest"
