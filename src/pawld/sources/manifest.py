"""Source ``manifest``: one JSON document on any static host tells the release and where its bytes are.

It is read here as a hint, with nothing proven; the trust engine fetches and proves it by itself.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from pawld.errors import OperatorError, TransientError
from pawld.model import Location, NoBuild, Offer, Platform, Record
from pawld.reasons import Reason
from pawld.system.http import Answer, Reply, Web, checked_url, shown
from pawld.vendors.api import Now, misunderstood
from pawld.vendors.faults import document, fault
from pawld.vendors.places import joined, named_place

LIMIT = 1024 * 1024  # bytes of a manifest
DEADLINE = timedelta(minutes=1)
_FIELDS = ("version", "channel", "os", "arch", "platform")
_HOST = "The manifest's host"


class ManifestSource:
    """Locates the build of a manifest.

    Args:
        manifest_url: with ``{channel} {platform} {os} {arch}``, and ``{version}`` where a pin always names one.
        final_hosts: hosts that a redirect may end at; empty allows any public one.
    """

    def __init__(self, web: Web, manifest_url: str, now: Now, *, final_hosts: Sequence[str] = ()) -> None:
        self._web = web
        self._template = checked_url(manifest_url, "manifest_url")
        self._now = now
        self._final_hosts = tuple(final_hosts)
        _filled(manifest_url, dict.fromkeys(_FIELDS, "x"))

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        """Return what the manifest says of the release; none where the host has no such manifest."""
        url = _filled(self._template, _fields(channel, platform, version))
        reply = self._fetched(url)
        if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return NoBuild(f"{shown(url)} is not there: nothing is published for {platform} under that name.")
        error = fault(reply, _HOST, now=self._now())
        if error:
            raise error
        return _offer(document(reply.body) or {}, url)

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return the signed places, made absolute beside the manifest; else the file of that name in its folder."""
        fields = _fields(record.channel, record.platform, record.version)
        url = _filled(self._template, fields)
        if not record.locations:
            return [Location(joined(url, quote(record.filename)), {}, self._final_hosts)]
        return [self._beside(url, one) for one in record.locations]

    def _beside(self, url: str, place: Location) -> Location:
        absolute = named_place(joined(url, place.url), "the manifest", self._template)
        return Location(absolute, {}, place.final_hosts or self._final_hosts, place.mirror)

    def _fetched(self, url: str) -> Reply:
        with self._web.get(Location(url, {}, self._final_hosts), deadline=DEADLINE) as answer:
            return Reply(answer.status, answer.headers, _body(answer), answer.url)


def _body(answer: Answer) -> bytes:
    data = bytearray()
    for block in answer.blocks():
        data += block
        if len(data) > LIMIT:
            raise TransientError(
                Reason.ANSWER_NOT_UNDERSTOOD, f"{shown(answer.url)} is longer than the {LIMIT} bytes of a manifest."
            )
    return bytes(data)


def _offer(manifest: Mapping[str, Any], url: str) -> Offer:
    if not isinstance(manifest.get("version"), str):
        raise misunderstood(_HOST, f"{shown(url)} names no version")
    texts = {name: manifest[name] for name in ("sha256", "filename") if isinstance(manifest.get(name), str)}
    length = manifest.get("length")
    return Offer(version=manifest["version"], length=length if type(length) is int else None, **texts)


def _fields(channel: str, platform: Platform, version: str | None) -> dict[str, str]:
    fields = {"channel": channel, "os": platform.os, "arch": platform.arch, "platform": platform.name}
    return {name: quote(value, safe="") for name, value in (fields | ({"version": version} if version else {})).items()}


def _filled(template: str, fields: Mapping[str, str]) -> str:
    try:
        return template.format_map(fields)
    except KeyError as error:
        why = "needs a version, which no pin tells" if error.args[0] == "version" else "names an unknown field"
        raise OperatorError(Reason.CONFIG_INVALID, f"The manifest_url {shown(template)} {why}.") from error
    except (IndexError, ValueError, AttributeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"The manifest_url {shown(template)} is no template.") from error
