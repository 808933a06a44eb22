"""A repository behind a real web server, with python-tuf's client before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.publishing import Client, founded, reopened, served

from pawld.publish.publisher import Publisher


@dataclass
class Site:
    """A publisher's directory and the URL that its public part is served at."""

    home: Path
    url: str
    tmp: Path
    clients: int = 0

    @property
    def publisher(self) -> Publisher:
        return reopened(self.home)

    def client(self) -> Client:
        """A fresh host that knows the first root."""
        self.clients += 1
        root = (self.home / "public/metadata/1.root.json").read_bytes()
        return Client(self.tmp / f"host-{self.clients}", self.url, root)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One key a role."""
    founded(tmp_path / "home")
    with served(tmp_path / "home" / "public") as url:
        yield Site(tmp_path / "home", url, tmp_path)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """Three keys, of which two must sign, for root, targets and stable."""
    founded(tmp_path / "home", guarded=True)
    with served(tmp_path / "home" / "public") as url:
        yield Site(tmp_path / "home", url, tmp_path)
