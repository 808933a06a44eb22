"""The list of a build's files, false in every way: its digests go to the slot's manifest only where all of it is true.

What the record states the digest of is its publisher's word, so a lie in it is refused. Other bytes than those are
nobody's word: whoever sends them gains that every file is hashed, and no veto against the update.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.moving import CHUNK, Told, record_of
from support.slots import an_installer, names, tar_gz
from support.trusting import MemoryMarks, SetClock

from pawld.errors import PawldError, RejectedError
from pawld.formats.slot_manifest import FileEntry, SlotManifest
from pawld.formats.tree import tree_text
from pawld.install.layout import read_manifest
from pawld.model import Record, Slot
from pawld.ports import ChunkProof, Ended, Verified
from pawld.reasons import Reason
from pawld.trust.pinned import PinnedEngine
from pawld.trust.policy import Policy

BUILD = tar_gz({"bin/acme": b"#!/bin/sh\n", "share/words": b"words\n"})
ACME = FileEntry("bin/acme", 10, 0o755, hashlib.sha256(b"#!/bin/sh\n").hexdigest())
WORDS = FileEntry("share/words", 6, 0o644, hashlib.sha256(b"words\n").hexdigest())
MORE = FileEntry("share/more", 4, 0o644, "4" * 64)
TRUE = tree_text([ACME, WORDS], ["bin", "share"])


def stating(text: bytes) -> Record:
    """The record of BUILD, signed by a publisher who says that *text* lists its files."""
    return replace(record_of(BUILD, chunk=CHUNK), format="tar.gz", tree_sha256=hashlib.sha256(text).hexdigest())


@pytest.fixture
def proven(tmp_path: Path) -> Callable[[Record, bytes], Verified]:
    """Prove BUILD, for which *text* comes as the list before the first member is read."""
    path = tmp_path / "build.unverified"
    path.write_bytes(BUILD)

    def chunks(proof: ChunkProof) -> Iterator[memoryview]:
        assert proof(0, memoryview(BUILD))
        yield memoryview(BUILD)

    def of(record: Record, text: bytes) -> Verified:
        def bring(accept: Callable[[bytes], None]) -> Ended:
            with suppress(PawldError):
                accept(text)
            return lambda: None

        policy = Policy([PinnedEngine({})], MemoryMarks(), SetClock(), "acme")
        return policy.prove_chunks(record, chunks, path, bring)

    return of


def manifest_of(slot: Slot) -> SlotManifest:
    found = read_manifest(slot.path)
    assert found is not None
    return found


def test_a_true_list_gives_the_digests(proven: Callable[[Record, bytes], Verified], tmp_path: Path) -> None:
    installer = an_installer(tmp_path / "root")

    slot = installer.stage(proven(stating(TRUE), TRUE), Told())

    assert manifest_of(slot).files == (ACME, WORDS)
    assert installer.intact(slot)


@pytest.mark.parametrize(
    "text",
    [
        tree_text([ACME], ["bin", "share"]),
        tree_text([ACME, WORDS, MORE], ["bin", "share"]),
        tree_text([ACME, WORDS._replace(size=7)], ["bin", "share"]),
        tree_text([ACME._replace(mode=0o644), WORDS], ["bin", "share"]),
        tree_text([ACME, WORDS._replace(path="share/Words")], ["bin", "share"]),
        tree_text([ACME, WORDS._replace(path="../words")], ["bin", "share"]),
        tree_text([ACME, WORDS._replace(path="share/../share/words")], ["bin", "share"]),
        tree_text([ACME, FileEntry("share/words", 0, 0, "", "../bin/acme")], ["bin", "share"]),
        tree_text([ACME, WORDS], ["bin"]),
        tree_text([ACME, WORDS], ["bin", "share", "empty"]),
        TRUE + b"something else\n",
        b"".join(reversed(TRUE.splitlines(keepends=True)[1:])).join([TRUE[:13], b""]),
    ],
    ids=[
        "a file less", "a file more", "another size", "another mode", "another case", "out of the slot",
        "another way to it", "a link", "a folder less", "a folder more", "a line of no kind", "not sorted",
    ],
)  # fmt: skip
def test_a_signed_list_of_another_tree_makes_no_slot(
    text: bytes, proven: Callable[[Record, bytes], Verified], tmp_path: Path
) -> None:
    with pytest.raises(RejectedError) as refused:
        an_installer(tmp_path / "root").stage(proven(stating(text), text), Told())

    assert refused.value.reason is Reason.ARCHIVE_REFUSED
    assert names(tmp_path / "root/versions") == []
    assert not list((tmp_path / "root").rglob("words"))


def test_a_member_that_is_not_listed_is_named_before_it_is_written(
    proven: Callable[[Record, bytes], Verified], tmp_path: Path
) -> None:
    text = tree_text([ACME], ["bin"])
    with pytest.raises(RejectedError, match=r"'share/words' of 6 bytes and mode 644 is not among the files"):
        an_installer(tmp_path / "root").stage(proven(stating(text), text), Told())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        TRUE.replace(b"pawld-tree-1", b"pawld-tree-2"),
        TRUE.replace(WORDS.sha256.encode(), WORDS.sha256.upper().encode()),
        TRUE.replace(WORDS.sha256.encode(), WORDS.sha256[:-1].encode()),
        TRUE.replace(WORDS.sha256.encode(), b"g" * 64),
        TRUE + TRUE.splitlines(keepends=True)[-1],
        TRUE.replace(b"share/words", b"share/\xff\xfe"),
        TRUE[:-1],
        TRUE + b"f short\n",
    ],
    ids=[
        "nothing", "another form", "capitals", "a short digest", "no digest", "a file twice", "no UTF-8", "cut off",
        "a short line",
    ],
)  # fmt: skip
def test_what_is_signed_as_a_list_and_is_none_refuses_the_record(
    text: bytes, proven: Callable[[Record, bytes], Verified], tmp_path: Path
) -> None:
    with pytest.raises(RejectedError) as refused:
        an_installer(tmp_path / "root").stage(proven(stating(text), text), Told())

    assert refused.value.reason is Reason.RECORD_INVALID
    assert names(tmp_path / "root/versions") == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>Please sign in</html>",
        TRUE[:-1],
        TRUE.replace(WORDS.sha256.encode(), b"0" * 64),
        tree_text([ACME, WORDS, MORE], ["bin", "share"]),
        tree_text([MORE], ["share"]),
    ],
    ids=["nothing", "a page", "cut off", "another digest", "a file more", "of another build"],
)
def test_bytes_that_nobody_signed_are_no_list_and_no_veto(
    text: bytes, proven: Callable[[Record, bytes], Verified], tmp_path: Path
) -> None:
    installer = an_installer(tmp_path / "root")

    slot = installer.stage(proven(stating(TRUE), text), Told())

    assert manifest_of(slot).files == (ACME, WORDS)
    assert installer.intact(slot)


def test_a_wrong_digest_that_was_signed_is_found_at_the_first_look_and_refused_where_files_are_hashed(
    proven: Callable[[Record, bytes], Verified], tmp_path: Path
) -> None:
    text = tree_text([ACME, WORDS._replace(sha256="0" * 64)], ["bin", "share"])
    installer = an_installer(tmp_path / "root")

    slot = installer.stage(proven(stating(text), text), Told())

    assert installer.examine(slot).detail == "share/words holds other bytes than were installed"
    with pytest.raises(RejectedError) as refused:  # `lifecycle.prepare` brings no list for a build that stands damaged
        installer.stage(proven(stating(text), b"none"), Told())
    assert refused.value.reason is Reason.ARCHIVE_REFUSED
