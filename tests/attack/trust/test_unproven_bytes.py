"""A hole in the extractor is planted, and the bytes that would reach it lie in a chunk that nobody signed.

Everything but the extractor is the real thing: the mover, the proof, the installer, a server on a socket. The extractor
notes each byte that it is given and breaks at the planted ones, as a parser with a hole in it would.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import CHUNK, HandClock, Told, record_of, serving
from support.raw_server import raw_server
from support.trusting import LINUX, MemoryMarks, SetClock

from pawld.download.mover import HttpMover
from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Written
from pawld.install.pointer import pointer_for
from pawld.install.slots import SlotInstaller
from pawld.model import Location, Record, Unpacked
from pawld.ports import Progress, Verified
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.pinned import PinnedEngine
from pawld.trust.policy import Policy

EXPLOIT = b"the bytes that take the extractor over"
BUILD = os.urandom(5 * CHUNK + 99)
PLANTED = 3  # the chunk that holds them
FORGED = BUILD[: PLANTED * CHUNK] + EXPLOIT.ljust(CHUNK, b"!") + BUILD[(PLANTED + 1) * CHUNK :]

Proven = Callable[[HttpMover, Record, str, Path], AbstractContextManager[Verified]]


class ExtractorCrash(Exception):  # noqa: N818 - it stands for a process that is taken over
    """The hole was reached."""


class Holed:
    """An extractor with a hole; ``parsed`` is all that it was ever given."""

    def __init__(self) -> None:
        self.parsed = b""

    def space_needed(self, record: Record) -> int:
        return record.length

    def entrypoint(self, _record: Record) -> str | None:
        return None

    def place(self, build: Verified, _into: Path, _progress: Progress) -> Written:
        with build.stream() as stream:
            while block := stream.read(4096):
                self.parsed += block
                if EXPLOIT in self.parsed:
                    raise ExtractorCrash
        return Written((), Unpacked(0, 0))

    def check(self, into: Path, files: Sequence[FileEntry], record: Record) -> None: ...


@pytest.fixture
def extractor() -> Holed:
    return Holed()


@pytest.fixture
def mover() -> Iterator[HttpMover]:
    with Web(stall=timedelta(seconds=5)) as web:
        yield HttpMover(web, HandClock(), reserve=0)


@contextmanager
def by_chunks(mover: HttpMover, record: Record, url: str, partial: Path) -> Iterator[Verified]:
    yield policy().prove_chunks(
        record, lambda proof: mover.chunks(record, [Location(url)], partial, Told(), proof), partial
    )


@contextmanager
def as_a_whole(mover: HttpMover, record: Record, url: str, partial: Path) -> Iterator[Verified]:
    downloaded = mover.fetch(record, [Location(url)], partial, Told())
    with downloaded.file:
        yield policy().prove(record, downloaded)


def policy() -> Policy:
    return Policy([PinnedEngine({})], MemoryMarks(), SetClock(), "acme")


@pytest.fixture
def attempt(mover: HttpMover, extractor: Holed, tmp_path: Path) -> Callable[[Proven, Record], None]:
    """Update from a server of the forged build."""
    root = tmp_path / "root"
    installer = SlotInstaller(root, extractor, pointer_for(root, LINUX.os), SetClock())

    def update(proven: Proven, record: Record) -> None:
        partial = tmp_path / "build.unverified"
        with raw_server(serving(FORGED)) as server, proven(mover, record, server.url, partial) as verified:
            installer.stage(verified, Told())

    return update


def names_in(root: Path) -> list[str]:
    return [path.name for path in (root / "versions").iterdir()] if (root / "versions").exists() else []


def test_chunk_by_chunk_the_extractor_sees_what_was_signed_and_nothing_else(
    attempt: Callable[[Proven, Record], None], extractor: Holed, tmp_path: Path
) -> None:
    with pytest.raises(RejectedError) as caught:
        attempt(by_chunks, record_of(BUILD, chunk=CHUNK))

    assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert BUILD.startswith(extractor.parsed)
    assert len(extractor.parsed) <= PLANTED * CHUNK
    assert names_in(tmp_path / "root") == []


def test_where_only_the_whole_is_signed_the_extractor_is_not_even_called(
    attempt: Callable[[Proven, Record], None], extractor: Holed, tmp_path: Path
) -> None:
    with pytest.raises(RejectedError) as caught:
        attempt(as_a_whole, record_of(BUILD))

    assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert extractor.parsed == b""
    assert names_in(tmp_path / "root") == []


@pytest.mark.parametrize("proven", [by_chunks, as_a_whole])
def test_the_hole_is_there_and_signed_bytes_do_reach_it(
    proven: Proven, attempt: Callable[[Proven, Record], None]
) -> None:
    with pytest.raises(ExtractorCrash):
        attempt(proven, record_of(FORGED, chunk=CHUNK))
