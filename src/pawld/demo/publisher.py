"""The release engineer of the demonstration: a real TUF repository, signed by real keys, served by a real server."""

import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawld.model import Platform
from pawld.ports import Clock
from pawld.publish import serve, setup
from pawld.publish.ingest import Incoming, ingest
from pawld.publish.layout import Layout
from pawld.publish.plan import Plan
from pawld.publish.publication import publish
from pawld.publish.publisher import open_publisher
from pawld.publish.roles import Quorum

PRODUCT, CHANNEL = "acme-agent", "stable"
_ROLES = ("root", "targets", CHANNEL)


class Publisher:
    """Signs what the vendor ships; keeps no bytes, so that hosts fetch them from the vendor."""

    def __init__(self, home: Path, platform: Platform, clock: Clock) -> None:
        self._home = home
        self._platform = platform
        self._clock = clock
        passphrase = secrets.token_urlsafe(24)
        self._unlock = lambda _name: passphrase
        self._layout = Layout(home)

    def found(self) -> Path:
        """Make keys and the first metadata; return the root that hosts are given."""
        one_key = Quorum(keys=1, threshold=1)
        founding = setup.Founding(Plan((PRODUCT,), (CHANNEL,), CHANNEL), quorums=dict.fromkeys(_ROLES, one_key))
        setup.found(self._home, founding, self._unlock, self._clock)
        return self._layout.metadata / "1.root.json"

    def release(self, version: str, filename: str, build: bytes) -> None:
        """Measure the build, sign its record, and publish the metadata."""
        publisher = open_publisher(self._home, self._unlock, self._clock)
        incoming = Incoming(PRODUCT, version, self._platform, filename, entrypoint="bin/acme-agent", kept=False)
        ingest(publisher, incoming, [build], CHANNEL)
        publish(publisher)

    def serve(self) -> str:
        """Serve the metadata on loopback; return its address."""
        server = serve.server(self._layout.public, "127.0.0.1", 0)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_address[1]}/metadata"

    def photograph(self) -> Path:
        """Keep a copy of the metadata as it is now: an attacker's treasure."""
        copy = self._home / "old-metadata"
        shutil.copytree(self._layout.metadata, copy)
        return copy

    @contextmanager
    def replayed(self, old: Path) -> Iterator[None]:
        """Serve *old* metadata, every signature of which is valid, in place of today's."""
        aside = self._home / "todays-metadata"
        self._layout.metadata.rename(aside)
        shutil.copytree(old, self._layout.metadata)
        try:
            yield
        finally:
            shutil.rmtree(self._layout.metadata)
            aside.rename(self._layout.metadata)
