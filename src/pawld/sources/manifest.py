"""Source ``manifest``: the bytes lie on a static host, where a JSON document tells the release, or a template them.

The document is read here as a hint, with nothing proven; the trust engine fetches and proves it by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from pawld.errors import OperatorError
from pawld.model import Location, NoBuild, Offer, Platform, Record
from pawld.reasons import Reason
from pawld.system.http import Web, checked_url, shown
from pawld.system.secret import Secret
from pawld.vendors.api import Anonymous, Bearer, Now, Request, misunderstood
from pawld.vendors.faults import fault
from pawld.vendors.places import joined, named_place, origin

LIMIT = 1024 * 1024  # bytes of a manifest
DEADLINE = timedelta(minutes=1)
_FIELDS = ("version", "channel", "os", "arch", "platform", "filename")
_HOST = "The manifest's host"


class ManifestSource:
    """Locates the build of a manifest, or under a template, or both.

    Args:
        manifest_url: with ``{channel} {platform} {os} {arch}``, and ``{version}`` where a pin always names one; None
            where the host has no manifest.
        url: where the bytes lie, with ``{filename}`` too; default: the signed places, else the file name beside the
            manifest.
        token: sent as a bearer token to the origin of *manifest_url*, or else of *url*, alone.
        final_hosts: hosts that a redirect may end at; empty allows any public one.
    """

    def __init__(
        self,
        web: Web,
        manifest_url: str | None,
        now: Now,
        *,
        url: str | None = None,
        token: Secret | None = None,
        final_hosts: Sequence[str] = (),
    ) -> None:
        home = manifest_url or url
        if home is None:
            raise OperatorError(Reason.CONFIG_INVALID, "A manifest source needs a manifest_url or a url.")
        for template, what in ((manifest_url, "manifest_url"), (url, "url")):
            if template is not None:
                _filled(checked_url(template, what), dict.fromkeys(_FIELDS, "x"))
        self._web = web
        self._manifest_url = manifest_url
        self._url = url
        self._home = origin(home)
        self._now = now
        self._auth = Bearer(token) if token else Anonymous()
        self._final_hosts = tuple(final_hosts)

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        """Return what the manifest says of the release; none where the host has no such manifest."""
        if self._manifest_url is None:
            return Offer(version=version)
        url = _filled(self._manifest_url, _fields(channel, platform, version=version))
        reply = self._web.fetch(self._place(url), limit=LIMIT, deadline=DEADLINE)
        if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return NoBuild(f"{shown(url)} is not there: nothing is published for {platform} under that name.")
        error = fault(reply, _HOST, now=self._now(), credential=self._auth.describe())
        if error:
            raise error
        return _offer(reply.document or {}, url)

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return the configured place; else the signed ones, made absolute beside the manifest; else beside it."""
        fields = _fields(record.channel, record.platform, version=record.version, filename=record.filename)
        if self._url is not None or self._manifest_url is None:
            return [self._place(_filled(self._url or "", fields))]
        manifest = _filled(self._manifest_url, fields)
        if record.locations:
            return [self._beside(manifest, one) for one in record.locations]
        return [self._place(joined(manifest, quote(record.filename)))]

    def _beside(self, manifest: str, place: Location) -> Location:
        url = named_place(joined(manifest, place.url), "the manifest", manifest)
        return replace(self._place(url), final_hosts=place.final_hosts or self._final_hosts, mirror=place.mirror)

    def _place(self, url: str) -> Location:
        headers = self._auth.headers(Request("GET", url)) if origin(url) == self._home else {}
        return Location(url, headers, self._final_hosts)


def _offer(manifest: Mapping[str, Any], url: str) -> Offer:
    if not isinstance(manifest.get("version"), str):
        raise misunderstood(_HOST, f"{shown(url)} names no version")
    texts = {name: manifest[name] for name in ("sha256", "filename") if isinstance(manifest.get(name), str)}
    length = manifest.get("length")
    return Offer(version=manifest["version"], length=length if type(length) is int else None, **texts)


def _fields(channel: str, platform: Platform, **given: str | None) -> dict[str, str]:
    fields = {"channel": channel, "os": platform.os, "arch": platform.arch, "platform": platform.name, **given}
    return {name: quote(value, safe="") for name, value in fields.items() if value is not None}


def _filled(template: str, fields: Mapping[str, str]) -> str:
    try:
        return template.format_map(fields)
    except KeyError as error:
        missing = error.args[0]
        why = f"needs the {missing}, which nobody tells" if missing in _FIELDS else "names an unknown field"
        raise OperatorError(Reason.CONFIG_INVALID, f"The address {shown(template)} {why}.") from error
    except (IndexError, ValueError, AttributeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"The address {shown(template)} is no template.") from error
