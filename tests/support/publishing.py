"""A publisher's directory for tests, a plain web server before it, and python-tuf's own client as the judge."""

import gzip
import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tuf.ngclient import TargetFile, Updater

from pawld.model import Platform
from pawld.publish.ingest import Incoming, ingest
from pawld.publish.plan import Plan
from pawld.publish.publication import Published, publish
from pawld.publish.publisher import Publisher, open_publisher
from pawld.publish.release import PLAIN, Conditions
from pawld.publish.repository import Write, write_public
from pawld.publish.roles import Quorum
from pawld.publish.setup import Founding, found

PASSPHRASE = "correct horse battery"
LINUX = Platform("linux", "x86_64")
ARM = Platform("linux", "arm64")
SINGLE = dict.fromkeys(("root", "targets", "stable", "beta"), Quorum(1, 1))


@dataclass
class StillClock:
    """Stands where it is put. It starts at the real time, which TUF's own client goes by."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, duration: timedelta) -> None:
        self.at += duration


def unlock(name: str) -> str:
    return PASSPHRASE


def founded(
    home: Path, *, products: tuple[str, ...] = ("acme-agent",), guarded: bool = False, clock: StillClock | None = None
) -> Publisher:
    """Return a repository of the *products* with stable and beta; one key a role unless it is to be *guarded*."""
    clock = clock or StillClock()  # one for both, or a second may pass in between
    plan = Plan(products, ("stable", "beta"), "stable")
    found(home, Founding(plan, {} if guarded else SINGLE), unlock, clock)
    return reopened(home, clock=clock)


def reopened(home: Path, *, clock: StillClock | None = None, write: Write = write_public) -> Publisher:
    return open_publisher(home, unlock, clock or StillClock(), write=write)


def incoming(version: str, **facts: Any) -> Incoming:
    given: dict[str, Any] = {"filename": f"acme-{version}.tar.gz", "entrypoint": "bin/acme", "platform": LINUX}
    return Incoming(product="acme-agent", version=version, **(given | facts))


def take_in(
    publisher: Publisher, version: str, channel: str = "stable", *, conditions: Conditions = PLAIN, **facts: Any
) -> Published:
    """Ingest a small archive of that version and publish it."""
    ingest(publisher, incoming(version, **facts), [tar_gz(version)], channel, conditions)
    return publish(publisher)


def released(home: Path, build: Incoming, data: bytes) -> None:
    """Put a build on stable, as a publisher does who comes back to *home*."""
    publisher = reopened(home)
    ingest(publisher, build, [data], "stable", PLAIN)
    publish(publisher)


def tar_gz(version: str) -> bytes:
    files = {"bin/acme": f"#!/bin/sh\necho {version}\n".encode(), "share/readme": b"hello\n"}
    return gzip.compress(tar(files, "w"), mtime=0)


def tar(files: dict[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]  # a mode from the test's table
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing."""


@contextmanager
def served(public: Path) -> Iterator[str]:
    """Serve a directory as any static host would; yields its URL without a slash at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(public)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Client:
    """A host: python-tuf's Updater with its own cache, which trusts the first root that it was given."""

    def __init__(self, directory: Path, url: str, root: bytes) -> None:
        self.cache, self.downloads = directory / "cache", directory / "downloads"
        self.cache.mkdir(parents=True)
        self.downloads.mkdir()
        self._url, self._root = url, root

    def updater(self) -> Updater:
        return Updater(
            str(self.cache),
            f"{self._url}/metadata/",
            str(self.downloads),
            f"{self._url}/targets/",
            bootstrap=self._root,
        )

    def ask(self, target: str) -> TargetFile | None:
        return self.updater().get_targetinfo(target)

    def fetch(self, target: str) -> bytes:
        updater = self.updater()
        found = updater.get_targetinfo(target)
        assert found is not None
        return Path(updater.download_target(found, str(self.downloads / "build"))).read_bytes()
