"""The list of a build's files: sent for once, proven by the digest of the tree in the record, let go with the build."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.moving import record_of

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import tree_text
from pawld.ports import Ended
from pawld.reasons import Reason
from pawld.trust.listing import Listing

TEXT = tree_text([FileEntry("acme", 1, 0o755, "a" * 64)], [])
RECORD = replace(record_of(b"x"), tree_sha256=hashlib.sha256(TEXT).hexdigest())


class Errand:
    """Brings when the test says so."""

    def __init__(self) -> None:
        self.accept: Callable[[bytes], None] | None = None
        self.sent = self.ended = 0

    def __call__(self, accept: Callable[[bytes], None]) -> Ended:
        self.sent += 1
        self.accept = accept
        return self._end

    def _end(self) -> None:
        self.ended += 1

    def arrives(self, data: bytes) -> None:
        assert self.accept is not None
        self.accept(data)


def test_it_is_sent_for_when_it_is_first_asked_for_and_is_there_once_it_came() -> None:
    errand = Errand()
    listing = Listing(RECORD, errand)
    assert errand.sent == 0

    assert listing.files() is None
    assert listing.files() is None
    errand.arrives(TEXT)

    found = listing.files()
    assert found is not None
    assert found.take("acme", 1, 0o755) == "a" * 64
    listing.close()
    assert (errand.sent, errand.ended) == (1, 1)


def test_it_is_used_up_with_one_reading_of_the_build_and_sent_for_anew_with_the_next() -> None:
    errand = Errand()
    listing = Listing(RECORD, errand)
    listing.files()
    errand.arrives(TEXT)
    listing.close()

    assert listing.files() is None
    assert errand.sent == 2


def test_other_bytes_are_refused_to_whoever_brought_them() -> None:
    errand = Errand()
    listing = Listing(RECORD, errand)
    listing.files()

    with pytest.raises(RejectedError) as refused:
        errand.arrives(TEXT + b"\n")

    assert refused.value.reason is Reason.DIGEST_MISMATCH
    assert listing.files() is None


def test_one_that_was_signed_and_is_none_is_told_to_whoever_asks() -> None:
    errand = Errand()
    listing = Listing(replace(RECORD, tree_sha256=hashlib.sha256(b"no list").hexdigest()), errand)
    listing.files()
    errand.arrives(b"no list")

    with pytest.raises(RejectedError) as refused:
        listing.files()

    assert refused.value.reason is Reason.RECORD_INVALID


def test_nothing_is_sent_for_where_no_place_or_no_digest_of_it_is_known() -> None:
    errand = Errand()
    for listing in (Listing(RECORD, None), Listing(replace(RECORD, tree_sha256=None), errand)):
        assert listing.files() is None
        listing.close()
    assert errand.sent == 0
