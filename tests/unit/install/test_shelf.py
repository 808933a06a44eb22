"""What a sick disk hides is not taken for missing."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from crash.reads import failing
from crash.world import OLD, install_old

from pawld.errors import TransientError
from pawld.install.shelf import Shelf
from pawld.reasons import Reason


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    install_old(tmp_path)
    return Shelf(tmp_path)


def test_a_manifest_that_cannot_be_read_for_a_moment_leaves_its_slot_complete(shelf: Shelf, tmp_path: Path) -> None:
    with failing(1, errno.EIO, tmp_path / "versions", lasting=False):
        current = shelf.current()

    assert current is not None
    assert current.version == OLD


def test_what_the_pointer_leads_to_is_known_though_its_manifest_is_not(shelf: Shelf, tmp_path: Path) -> None:
    with failing(1, errno.EIO, tmp_path / "versions", lasting=True):
        assert shelf.current() is None
        pointed = shelf.pointed()

    assert pointed is not None
    assert (pointed.version, pointed.path) == (OLD, (tmp_path / "current").resolve())


@pytest.mark.parametrize(("hidden", "ask"), [("current", Shelf.current), ("versions", Shelf.slots)])
def test_a_disk_that_does_not_tell_is_a_fault_and_no_empty_host(
    shelf: Shelf, tmp_path: Path, hidden: str, ask: Callable[[Shelf], object]
) -> None:
    with failing(1, errno.EIO, tmp_path / hidden, lasting=True), pytest.raises(TransientError) as raised:
        ask(shelf)

    assert raised.value.reason is Reason.IO_FAILED
