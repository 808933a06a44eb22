"""Which client a location is asked by: the host's own, or one that goes through a proxy near this host."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from pawld.model import Location
from pawld.system.http import Answer, Web, shown

Through = Callable[[str], Web]
"""Opens a client all of whose requests go through the proxy at that URL; whoever gave it closes it."""


class Ways:
    """Asks each location in the way that it names."""

    def __init__(self, web: Web, through: Through | None = None) -> None:
        self._web = web
        self._through = through

    @contextmanager
    def get(self, location: Location, *, headers: Mapping[str, str], deadline: timedelta) -> Iterator[Answer]:
        """Do as ``Web.get``."""
        web = self._through(location.via) if location.via and self._through is not None else self._web
        with web.get(location, headers=headers, deadline=deadline) as answer:
            yield answer


def name_of(location: Location) -> str:
    """Return who answers for the location: the proxy in between, else scheme and host of its address."""
    parts = urlsplit(location.via or location.url)
    return f"{parts.scheme}://{parts.netloc}"


def place_of(location: Location) -> str:
    """Return what tells this location from every other; bytes of one are never gone on with from another."""
    return f"{shown(location.url)} through {location.via}" if location.via else shown(location.url)
