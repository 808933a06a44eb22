"""ScalePad's agent-releases interface, version 2: metadata of releases, and redirects to their artifacts.

It knows the platforms ``windows`` and ``macos``; ``arch`` is required for the latter and belongs to no other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from urllib.parse import urlsplit

from pawld.errors import TransientError
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.http import Reply, Web
from pawld.vendors.api import MOST_PAGES, Anonymous, Api, Auth, Now, misunderstood, segment
from pawld.vendors.faults import words
from pawld.vendors.forms import read
from pawld.vendors.places import joined, named_place, origin
from pawld.vendors.scalepad_forms import VENDOR, PageForm, ReleaseForm, checked_version, read_release

PAGE_SIZE = 200  # releases; the documented maximum
_ROOT = "/agent-releases"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Missing(Enum):
    """The metadata endpoint itself is not there; that says nothing about releases."""

    METADATA = "metadata"


class ScalepadApi:
    """The five calls of agent-releases. Refusals are raised as ``faults`` reads them."""

    def __init__(self, web: Web, base_url: str, auth: Auth | None, now: Now) -> None:
        self._api = Api(web, VENDOR, base_url, auth or Anonymous(), now)

    def latest(self, channel: str) -> ReleaseForm | Missing:
        """Return the channel's current release; where that call is not there, the newest of the list."""
        reply = self._api.send("GET", f"{_ROOT}/latest", {"channel": channel})
        if not _endpoint_missing(reply):
            return self._release(reply)
        return self._first(channel, lambda _: True)

    def release(self, version: str, channel: str) -> ReleaseForm | Missing:
        """Return the release of that *version*; where the call is not there, as the list has it.

        ``TransientError`` (not_found) where there is no such release.
        """
        reply = self._api.send("GET", f"{_ROOT}/{segment(checked_version(version))}", {"channel": channel})
        found = self._first(channel, lambda one: one.version == version) if _endpoint_missing(reply) else None
        release = found or self._release(reply)
        if isinstance(release, ReleaseForm) and release.version != version:
            raise misunderstood(VENDOR, f"it tells of release {release.version} where {version} was asked for")
        return release

    def releases(self, channel: str) -> Iterator[ReleaseForm]:
        """Yield the channel's releases, newest first, page by page; a list without end is refused."""
        for reply in self._pages(channel):
            yield from self._listed(reply)

    def refusal(self, version: str, platform: Platform) -> str | None:
        """Ask for the artifact's redirect without following it; return the vendor's refusal (400, 404), or None."""
        reply = self._api.send("GET", _download_path(version), _target(platform))
        if reply.status in _REDIRECTS:
            return None
        error = self._api.fault(reply)
        if reply.status in (400, 404) and error:
            return error.message
        raise error or misunderstood(VENDOR, "the download is no redirect")

    def download(self, version: str, platform: Platform) -> tuple[str, Mapping[str, str]]:
        """Return the URL that redirects to the artifact of exactly this version, with the credential for it."""
        return self._api.credentials(_download_path(version), _target(platform))

    def resolved(self, download_url: str, hosts: Sequence[str] = ()) -> tuple[str, Mapping[str, str]] | None:
        """Return the artifact's ``download_url`` made absolute, with the credential if it is at this very origin.

        None where it leads through the mutable alias ``latest``, which may name another release by now;
        ``RejectedError`` (redirect_refused) where nothing is fetched from there.
        """
        base = self._api.base_url
        url = named_place(joined(origin(base) + "/", download_url), VENDOR, base, hosts)
        if f"{_ROOT}/latest/" in urlsplit(url).path:
            return None
        return url, self._api.credentials("")[1] if origin(url) == origin(base) else {}

    def _first(self, channel: str, fits: Callable[[ReleaseForm], bool]) -> ReleaseForm | Missing:
        for number, reply in enumerate(self._pages(channel)):
            if number == 0 and _endpoint_missing(reply):
                return Missing.METADATA
            for one in self._listed(reply):
                if fits(one):
                    return one
        raise TransientError(Reason.NOT_FOUND, f"{VENDOR} lists no such release in the channel {channel}.")

    def _pages(self, channel: str) -> Iterator[Reply]:
        query = {"channel": channel, "page_size": str(PAGE_SIZE)}
        for _ in range(MOST_PAGES):
            reply = self._api.send("GET", _ROOT, query)
            yield reply
            cursor = self._page(reply).next_cursor
            if not cursor:
                return
            query = {**query, "cursor": cursor}
        raise misunderstood(VENDOR, f"the list of releases has more than {MOST_PAGES} pages")

    def _page(self, reply: Reply) -> PageForm:
        return read(PageForm, self._api.understood(reply), VENDOR, "the list of releases")

    def _listed(self, reply: Reply) -> list[ReleaseForm]:
        return [read_release(one) for one in self._page(reply).data]

    def _release(self, reply: Reply) -> ReleaseForm:
        return read_release(self._api.understood(reply))


def _download_path(version: str) -> str:
    return f"{_ROOT}/{segment(checked_version(version))}/download"


def _target(platform: Platform) -> dict[str, str]:
    """The documents want ``arch`` for macOS, and call a combination with Windows invalid; Linux is their future."""
    return {"platform": platform.os} | ({} if platform.os == "windows" else {"arch": platform.arch})


def _endpoint_missing(reply: Reply) -> bool:
    """A 404 in ScalePad's own form speaks about a release; any other comes from a gateway that knows no such path."""
    said = words(reply)
    return reply.status == 404 and (said is None or said.code != "not_found")  # noqa: PLR2004 - Not Found
