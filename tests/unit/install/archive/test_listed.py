"""Digests out of a list: asked for before the first member, taken once they are there, and never half believed."""

import hashlib
import io
from pathlib import Path

import pytest
from support.archives import END, PACKERS, Untold, everything_below, member

from pawld.errors import RejectedError
from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import ListedFiles, tree_text
from pawld.install.archive import Limits, Written, unpack
from pawld.reasons import Reason

BUILD = PACKERS["tar.gz"](member("./bin/agent", b"code", mode=b"0004711\0") + member("data", b"x") + END)
AGENT, DATA = FileEntry("bin/agent", 4, 0o755, "a" * 64), FileEntry("data", 1, 0o644, "d" * 64)


class Coming:
    """A list that comes at the *nth* time that it is asked for."""

    def __init__(self, nth: int, *entries: FileEntry) -> None:
        self.nth, self.asked = nth, 0
        self.list = ListedFiles(tree_text(entries, ["bin"]))

    def __call__(self) -> ListedFiles | None:
        self.asked += 1
        return self.list if self.asked >= self.nth else None


def unpacked(slot: Path, listed: Coming) -> Written:
    slot.mkdir()
    return unpack(io.BytesIO(BUILD), "tar.gz", slot, Limits(), Untold(), listed)


def test_the_digests_of_a_list_are_taken_as_they_stand(tmp_path: Path) -> None:
    assert list(unpacked(tmp_path / "slot", Coming(1, AGENT, DATA)).entries) == [AGENT, DATA]
    assert everything_below(tmp_path / "slot") == {"bin": None, "bin/agent": b"code", "data": b"x"}


def test_what_is_written_before_a_list_came_is_hashed(tmp_path: Path) -> None:
    listed = Coming(3, AGENT, DATA)
    written = unpacked(tmp_path / "slot", listed)
    assert list(written.entries) == [AGENT._replace(sha256=hashlib.sha256(b"code").hexdigest()), DATA]
    assert listed.asked == 3


def test_without_a_list_everything_is_hashed(tmp_path: Path) -> None:
    listed = Coming(9, AGENT, DATA)
    written = unpacked(tmp_path / "slot", listed)
    assert [one.sha256 for one in written.entries] == [hashlib.sha256(one).hexdigest() for one in (b"code", b"x")]


@pytest.mark.parametrize("other", [AGENT._replace(size=5), AGENT._replace(mode=0o711), AGENT._replace(path="bin/a")])
def test_a_file_that_the_list_has_otherwise_is_refused_before_it_is_made(tmp_path: Path, other: FileEntry) -> None:
    with pytest.raises(RejectedError, match="'bin/agent' of 4 bytes and mode 755 is not among") as refused:
        unpacked(tmp_path / "slot", Coming(1, other, DATA))
    assert refused.value.reason is Reason.ARCHIVE_REFUSED
    assert everything_below(tmp_path / "slot") == {}
