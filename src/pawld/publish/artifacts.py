"""The builds' bytes: taken in, kept by content, and linked to where TUF clients look for them."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from pawld.errors import TransientError
from pawld.formats.tree import MOST_LISTED
from pawld.model import Location
from pawld.publish.contents import Tree
from pawld.publish.layout import Layout
from pawld.publish.measure import Measured, copied
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.system.files import fsync, fsync_directory, make_directory, write_durably

HTTP_OK = 200


class Answer(Protocol):
    """What came back for a GET, as ``system.http`` has it."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    def blocks(self) -> Iterable[bytes]:
        """Yield the body."""


Fetch = Callable[[Location], AbstractContextManager[Answer]]
"""Gets one location, following redirects within its limits."""


@contextmanager
def taken_in(layout: Layout, blocks: Iterable[bytes]) -> Iterator[tuple[Path, Measured]]:
    """Copy the blocks to a file in ``incoming``, durable and measured; it is gone at the end unless it was moved."""
    with host_faults("Taking in the build"):
        shutil.rmtree(layout.incoming, ignore_errors=True)  # what a cut left over; the lock keeps others out
        make_directory(layout.incoming, mode=0o700)
        path = layout.incoming / "build.unverified"
        with path.open("xb") as file:
            measured = copied(blocks, file)
            file.flush()
            fsync(file.fileno())
    try:
        yield path, measured
    finally:
        path.unlink(missing_ok=True)


def blocks_from_web(fetch: Fetch, location: Location) -> Iterator[bytes]:
    """Yield a download's bytes; ``TransientError`` (not_found) where the answer is no 200."""
    with fetch(location) as answer:
        if answer.status != HTTP_OK:
            raise TransientError(Reason.NOT_FOUND, f"The vendor answered {answer.status} instead of the build.")
        yield from answer.blocks()


def keep(layout: Layout, path: Path, sha256: str) -> None:
    """Move a measured file to its content address; one that is there already stays."""
    blob = layout.blob(sha256)
    with host_faults("Keeping the build"):
        make_directory(blob.parent)
        if not blob.exists():
            path.chmod(0o644)
            path.replace(blob)
        fsync_directory(blob.parent)  # also of one that is there: who moved it may have died before it was durable


def keep_list(layout: Layout, tree: Tree) -> None:
    """Keep the list of a build's files under its own digest, for hosts to read; one that is too long for them is not.

    It is found by the digest in the record, so a host that has not heard of it is told nothing new.
    """
    text = tree.text
    blob = layout.blob(hashlib.sha256(text).hexdigest())
    if len(text) > MOST_LISTED or blob.exists():
        return
    with host_faults("Keeping the list of files"):
        make_directory(blob.parent)
        write_durably(blob, text, mode=0o644)


def link(layout: Layout, sha256: str, target: str) -> None:
    """Let a kept build be found as *target* too, without taking its space twice where links are possible."""
    blob, place = layout.blob(sha256), layout.target(target, sha256)
    with host_faults("Linking the build"):
        make_directory(place.parent)
        if place.exists():
            fsync_directory(place.parent)  # as above
            return
        staged = place.with_name(f".{place.name}.new")
        staged.unlink(missing_ok=True)
        try:
            os.link(blob, staged)
        except OSError:
            shutil.copyfile(blob, staged)  # a file system without hard links
            with staged.open("rb+") as file:
                fsync(file.fileno())
        staged.replace(place)
        fsync_directory(place.parent)
