"""A reader of archives that was turned says what it likes: nothing is installed, nothing lies elsewhere."""

import hashlib
import io
import time
from datetime import timedelta
from pathlib import Path

import pytest
from support.archives import END, PACKERS, Untold, everything_below, member
from support.liars import PROGRAM, lying
from support.verified import LINUX, ProvenBytes, Quiet, build

from pawld.errors import PawldError, RejectedError, TransientError
from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import tree_sha256
from pawld.install.archive import Limits, unpack
from pawld.install.archive.walled import WalledUnpack
from pawld.install.directory import ArchiveContents
from pawld.install.pointer import LinkPointer
from pawld.install.slots import SlotInstaller
from pawld.reasons import Reason
from pawld.system.clock import SystemClock

pytestmark = pytest.mark.rig("root")

SHORT = timedelta(seconds=1)
GOOD = PACKERS["tar.gz"](member("bin/acme", PROGRAM, mode=b"0000755\0") + END)
ENTRY = FileEntry("bin/acme", len(PROGRAM), 0o755, hashlib.sha256(PROGRAM).hexdigest())
SIGNED = tree_sha256([ENTRY], ["bin"])

REFUSED = {
    "a link out": "is a symbolic link",
    "a name out": "",
    "a folder out": "",
    "endless files": "more than",
    "endless bytes": "more than",
    "a refusal with control characters": "",
}
FAILED = {
    "more bytes than said": "another length than it said",
    "fewer bytes than said": "no part of an archive",
    "a negative size": "another form than it should",
    "garbage": "announced a frame",
    "no document": "no value",
    "another kind": "no part of an archive",
    "a crash": "ended before its time",
    "silence": "silent for too long",
    "a process that holds on": "silent for too long",
    "privileges kept": "it still has Uid 0 0 0 0",
}


def caught(kind: str, into: Path) -> PawldError:
    into.mkdir(mode=0o700, parents=True)
    with pytest.raises(PawldError) as found:
        WalledUnpack(lying(kind), SHORT)(io.BytesIO(GOOD), "tar.gz", into, Limits(bytes=1 << 20, files=9), Untold())
    return found.value


@pytest.mark.parametrize(("kind", "words"), REFUSED.items(), ids=REFUSED.keys())
def test_what_no_archive_may_hold_no_reader_may_tell_of(kind: str, words: str, tmp_path: Path) -> None:
    error = caught(kind, tmp_path / "root" / "slot")
    assert (type(error), error.reason) == (RejectedError, Reason.ARCHIVE_REFUSED)
    assert words in error.message
    assert error.message.isprintable()
    assert len(error.message) <= 1000
    assert everything_below(tmp_path).keys() <= {"root", "root/slot", "root/slot/bin", "root/slot/bin/acme"} | {
        name for name in everything_below(tmp_path) if name.startswith("root/slot/share")
    }


@pytest.mark.parametrize(("kind", "words"), FAILED.items(), ids=FAILED.keys())
def test_a_reader_that_breaks_the_talk_is_ended_and_says_nothing_against_the_build(
    kind: str, words: str, tmp_path: Path
) -> None:
    begun = time.monotonic()
    error = caught(kind, tmp_path / "root" / "slot")
    assert (type(error), error.reason) == (TransientError, Reason.READER_FAILED)
    assert words in error.message
    assert time.monotonic() - begun < 15, "it was waited for"


@pytest.mark.parametrize("kind", ["a byte now and then", "a frame that drips"])
@pytest.mark.parametrize(
    ("patience", "words"),
    [
        ({"window": SHORT}, "bytes a second came for 1 s; at least 512 are expected"),
        ({"deadline": SHORT}, "it took longer than it may, all together"),
    ],
    ids=["pace", "whole"],
)
def test_one_that_is_never_silent_and_never_done_is_ended_and_leaves_no_slot(
    kind: str, patience: dict[str, timedelta], words: str, tmp_path: Path
) -> None:
    begun = time.monotonic()
    installer = installed_by(WalledUnpack(lying(kind), **patience), tmp_path)
    with pytest.raises(TransientError) as found:
        installer.stage(signed(), Quiet())
    assert found.value.reason is Reason.READER_FAILED
    assert words in found.value.message
    assert not list((tmp_path / "root" / "versions").iterdir())
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("kind", ["other bytes", "a file more"])
def test_another_tree_than_the_signed_one_gets_no_slot(kind: str, tmp_path: Path) -> None:
    installer = installed_by(WalledUnpack(lying(kind), SHORT), tmp_path)
    with pytest.raises(RejectedError) as found:
        installer.stage(signed(), Quiet())
    assert found.value.reason is Reason.ARCHIVE_REFUSED
    assert "does not unpack to the files that the signed record states" in found.value.message
    assert not list((tmp_path / "root" / "versions").iterdir())
    assert installer.current() is None


def test_the_agent_goes_on_and_the_same_build_is_staged_once_the_reader_is_honest(tmp_path: Path) -> None:
    with pytest.raises(TransientError):
        installed_by(WalledUnpack(lying("a crash"), SHORT), tmp_path).stage(signed(), Quiet())
    installer = installed_by(unpack, tmp_path)
    assert installer.intact(installer.stage(signed(), Quiet()))


def signed() -> ProvenBytes:
    proven = build(GOOD, form="tar.gz", entrypoint="bin/acme")
    object.__setattr__(proven.record, "tree_sha256", SIGNED)
    return proven


def installed_by(reader: object, tmp_path: Path) -> SlotInstaller:
    root = tmp_path / "root"
    contents = ArchiveContents(LINUX, reader=reader)  # type: ignore[arg-type]  # either of the two
    return SlotInstaller(root, contents, LinkPointer(root), SystemClock())
