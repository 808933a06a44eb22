"""A client that answers from what lies on this host, under the addresses it would be fetched from, and asks nobody.

Whoever uses a ``Web`` works the same with it: the same statuses, the same limits, the same proofs.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import httpcore

from pawld.errors import TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http.answers import Answer, Headers
from pawld.system.http.client import Web
from pawld.system.http.hop import Hop
from pawld.system.http.readings import Reading
from pawld.system.http.urls import shown
from pawld.system.http.wire import Patience

_NONE: Mapping[str, str] = {}


class Shelf(Protocol):
    """Names and the bytes behind them."""

    def size(self, name: str) -> int | None:
        """Return how many bytes lie under *name*; None where nothing does."""

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield them."""


class OfflineWeb(Web):
    """Answers GET for addresses below the given places: 200 or 404; every other address counts as unreachable.

    Args:
        places: the shelf's folder for each base URL.
        told: what the bytes come from, for sentences, such as ``the bundle acme.tar``.
        reader: whoever reads documents elsewhere: where there are walls, those of a bundle are read behind them too.
    """

    def __init__(self, shelf: Shelf, places: Mapping[str, str], told: str, reader: Web) -> None:
        super().__init__()
        self.reads_apart = reader.reads_apart
        self._reader = reader
        self._shelf = shelf
        self._places = {url.rstrip("/") + "/": folder for url, folder in places.items()}
        self._told = told

    @contextmanager
    def get(
        self,
        location: Location,
        *,
        headers: Mapping[str, str] = _NONE,  # noqa: ARG002 - the whole is sent whatever part was asked for
        deadline: timedelta | None = None,  # noqa: ARG002 - nothing is waited for
    ) -> Iterator[Answer]:
        """Answer with the whole file; ``TransientError`` (unreachable) for an address outside the places."""
        name = self._name(location.url)
        size = self._shelf.size(name)
        parts = urlsplit(location.url)  # it lies below a place that was checked when it was configured
        head = [(b"content-length", str(size or 0).encode())]
        body: Callable[[], Iterator[bytes]] = lambda: self._shelf.blocks(name)  # noqa: E731 - opened when it is read
        response = httpcore.Response(200 if size is not None else 404, headers=head, content=_late(body, size))
        yield Answer(response.status, Headers(head), location.url, f"{parts.scheme}://{parts.netloc}", 0, response)

    def ask(self, hop: Hop, patience: Patience) -> httpcore.Response:
        """Refuse, for no interface answers here: ``TransientError`` (unreachable)."""
        del patience
        raise self._unreachable(hop.address.url)

    def read(self, reading: Reading, body: bytes, hop: Hop) -> Any:
        """Have it read as what *hop* would have brought."""
        return self._reader.read(reading, body, hop)

    def holds(self, url: str) -> bool:
        """Say whether there is something at *url*."""
        return any(url.startswith(base) for base in self._places) and self._shelf.size(self._name(url)) is not None

    def _name(self, url: str) -> str:
        for base, folder in self._places.items():
            if url.startswith(base):
                return f"{folder}/{unquote(url.removeprefix(base))}"
        raise self._unreachable(url)

    def _unreachable(self, url: str) -> TransientError:
        return TransientError(
            Reason.UNREACHABLE, f"{shown(url)} is not asked: this update goes by {self._told} alone, without a network."
        )


def _late(body: Callable[[], Iterator[bytes]], size: int | None) -> Iterator[bytes]:
    if size is not None:
        yield from body()
