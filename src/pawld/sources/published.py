"""Where patches and lists of files lie: with whoever signs the records, beside the builds that are served from there.

A vendor's own interface knows nothing of them, so they are asked for here whatever the source is. What each must be,
the signed record says.
"""

from collections.abc import Sequence
from urllib.parse import quote

from pawld.model import Location
from pawld.system.http import checked_url
from pawld.system.secret import Secret
from pawld.vendors.api import Anonymous, Bearer, Request


class PublishedPlaces:
    """Locates what the publisher keeps beside the builds, by its target.

    Args:
        targets_url: what targets are relative to.
        token: sent as a bearer token to the origin of *targets_url* alone.
        final_hosts: hosts that a redirect may end at; empty allows any public one.
    """

    def __init__(self, targets_url: str, *, token: Secret | None = None, final_hosts: Sequence[str] = ()) -> None:
        self._url = checked_url(targets_url.rstrip("/"), "targets_url")
        self._auth = Bearer(token) if token else Anonymous()
        self._final_hosts = tuple(final_hosts)

    def locate(self, target: str) -> Sequence[Location]:
        """Return where *target* may be."""
        url = f"{self._url}/{quote(target)}"
        return [Location(url, self._auth.headers(Request("GET", url)), self._final_hosts)]
