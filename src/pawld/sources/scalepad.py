"""Source ``scalepad``: releases of a channel, and where their bytes are. Its metadata is a hint; the record decides.

The version is resolved once, then fetched by version: the alias ``latest`` may name another release a second later.
"""

from collections.abc import Mapping, Sequence

from pawld.model import Location, NoBuild, Offer, Platform, Record
from pawld.system.http import Web
from pawld.system.secret import Secret
from pawld.vendors.api import Bearer, Now
from pawld.vendors.scalepad import Missing, ScalepadApi
from pawld.vendors.scalepad_forms import ArtifactForm, ReleaseForm, artifact_of

DOCUMENTED = frozenset({"windows", "macos"})  # for others the download itself is asked, as the metadata has no place


class ScalepadSource:
    """Locates releases through ScalePad's agent-releases.

    Args:
        base_url: up to and with ``/v2``.
        channels: this host's channel names to ScalePad's, where they differ.
        final_hosts: hosts that the redirect may end at; empty allows any public one.
    """

    def __init__(
        self,
        web: Web,
        base_url: str,
        token: Secret | None,
        now: Now,
        *,
        channels: Mapping[str, str] | None = None,
        final_hosts: Sequence[str] = (),
    ) -> None:
        self._api = ScalepadApi(web, base_url, Bearer(token) if token else None, now)
        self._channels = channels or {}
        self._final_hosts = tuple(final_hosts)

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        """Return the release that ScalePad names; an offer without a version where its metadata is not there."""
        channel = self._channels.get(channel, channel)
        release = self._api.latest(channel) if version is None else self._api.release(version, channel)
        if isinstance(release, Missing):
            return Offer()
        artifact = artifact_of(release, platform)
        if artifact is None:
            return self._without_metadata(release, platform) or _offer(release, ArtifactForm())
        return _offer(release, artifact)

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return the artifact's own address where the metadata has one, then the redirect of exactly this version."""
        release = self._api.release(record.version, self._channels.get(record.channel, record.channel))
        artifact = None if isinstance(release, Missing) else artifact_of(release, record.platform)
        if artifact is None:
            known = release if isinstance(release, ReleaseForm) else ReleaseForm(version=record.version)
            refused = self._without_metadata(known, record.platform)
            if refused:
                return refused
        return self._locations(record, artifact)

    def _without_metadata(self, release: ReleaseForm, platform: Platform) -> NoBuild | None:
        """Find out whether there is a build that the metadata does not tell of; None where there may be."""
        if release.artifacts is not None and platform.os in DOCUMENTED:
            return NoBuild(f"ScalePad lists no artifact for {platform} in release {release.version}.")
        if platform.os in DOCUMENTED:
            return None  # without metadata the download itself will tell
        refusal = self._api.refusal(release.version, platform)
        return NoBuild(f"ScalePad has no build for {platform}. {refusal}") if refusal else None

    def _locations(self, record: Record, artifact: ArtifactForm | None) -> list[Location]:
        places = (
            [self._api.resolved(artifact.download_url, self._final_hosts)] if artifact and artifact.download_url else []
        )
        places.append(self._api.download(record.version, record.platform))
        unique = {place[0]: place[1] for place in places if place}
        return [Location(url, headers, self._final_hosts) for url, headers in unique.items()]


def _offer(release: ReleaseForm, artifact: ArtifactForm) -> Offer:
    return Offer(
        version=release.version,
        sha256=artifact.sha256.lower() if artifact.sha256 else None,
        length=artifact.size_bytes,
        filename=artifact.filename,
        notes_url=release.notes_url,
        published_at=release.published,
    )
