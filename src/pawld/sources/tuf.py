"""Source ``tuf``: the bytes lie in the repository that the record comes from.

With consistent snapshots a target ``a/b`` lies at ``a/<sha256>.b``: an address names its bytes, and a cache in between
can hold no others. Python-tuf's own download is not used: it cannot resume.
"""

from collections.abc import Sequence
from urllib.parse import quote

from pawld.errors import OperatorError
from pawld.model import Location, NoBuild, Offer, Platform, Record
from pawld.reasons import Reason
from pawld.system.http import checked_url
from pawld.system.secret import Secret
from pawld.vendors.api import Anonymous, Bearer, Request

TARGET = "{product}/{channel}/{platform}"
ARCHIVE = "{product}/archive/{version}/{platform}"


class TufSource:
    """Locates targets of one repository.

    Args:
        targets_url: what target paths are relative to.
        target: the path of a channel's target, with ``{product} {channel} {platform} {os} {arch} {version}``.
        archive: the path of an older release that a pin may order; tried after the first.
        token: sent as a bearer token to the origin of *targets_url* alone.
        final_hosts: hosts that a redirect may end at; empty allows any public one.
    """

    def __init__(
        self,
        targets_url: str,
        *,
        target: str = TARGET,
        archive: str = ARCHIVE,
        token: Secret | None = None,
        final_hosts: Sequence[str] = (),
    ) -> None:
        self._url = checked_url(targets_url.rstrip("/"), "targets_url")
        self._templates = (target, archive)
        self._auth = Bearer(token) if token else Anonymous()
        self._final_hosts = tuple(final_hosts)
        for template in self._templates:
            _filled(template, dict.fromkeys(_FIELDS, "x"))

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:  # noqa: ARG002 - the record tells all
        """Return an offer that names nothing: whatever the repository says, it says in the signed record."""
        return Offer()

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return the content-addressed places of the build in the repository, then those that the record lists."""
        paths = dict.fromkeys(_filled(template, _fields(record)) for template in self._templates)
        return [*(self._at(path, record.sha256) for path in paths), *record.locations]

    def _at(self, path: str, sha256: str) -> Location:
        folder, slash, name = path.rpartition("/")
        url = f"{self._url}/{quote(f'{folder}{slash}{sha256}.{name}')}"
        return Location(url, self._auth.headers(Request("GET", url)), self._final_hosts)


_FIELDS = ("product", "channel", "platform", "os", "arch", "version")


def _fields(record: Record) -> dict[str, str]:
    platform = record.platform
    values = (record.product, record.channel, platform.name, platform.os, platform.arch, record.version)
    return dict(zip(_FIELDS, values, strict=True))


def _filled(template: str, fields: dict[str, str]) -> str:
    try:
        return template.format_map(fields).strip("/")
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise OperatorError(
            Reason.CONFIG_INVALID, f"The target {template!r} may name {', '.join(_FIELDS)}, and nothing else."
        ) from error
