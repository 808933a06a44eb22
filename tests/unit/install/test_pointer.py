import sys
from pathlib import Path

import pytest

from pawld.errors import OperatorError, TransientError
from pawld.install.pointer import FilePointer, LinkPointer, pointer_for
from pawld.reasons import Reason
from pawld.system.faults import host_faults

OLD, NEW = "1.0.0-0123456789ab", "2.0.0-ba9876543210"


class HeldError(PermissionError):
    winerror = 32


def held_for(times: int, monkeypatch: pytest.MonkeyPatch, error: type[OSError] = HeldError) -> None:
    """Make the next *times* renames fail as Windows does while a scanner reads the file."""
    replace, tries = Path.replace, list[int]()

    def scanned(self: Path, target: Path) -> Path:
        tries.append(1)
        if len(tries) <= times:
            raise error(13, "in use", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", scanned)


def test_the_link_is_relative_so_that_the_root_may_be_moved(tmp_path: Path) -> None:
    LinkPointer(tmp_path).move(OLD)

    assert str((tmp_path / "current").readlink()) == f"versions/{OLD}"
    assert LinkPointer(tmp_path).read() == OLD


def test_a_link_that_an_earlier_run_left_half_made_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".current.new").symlink_to("versions/half")

    LinkPointer(tmp_path).move(NEW)

    assert LinkPointer(tmp_path).read() == NEW
    assert not (tmp_path / ".current.new").is_symlink()


@pytest.mark.parametrize("target", ["/usr/lib/acme", "versions", f"elsewhere/{OLD}", "versions/../../etc"])
def test_a_link_that_others_made_is_neither_followed_nor_replaced(tmp_path: Path, target: str) -> None:
    (tmp_path / "current").symlink_to(target)

    with pytest.raises(OperatorError) as caught:
        LinkPointer(tmp_path).move(NEW)

    assert caught.value.reason is Reason.OWNED_BY_OTHERS
    assert LinkPointer(tmp_path).read() is None
    assert str((tmp_path / "current").readlink()) == target


def test_a_directory_in_the_place_of_the_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "current").mkdir()

    with pytest.raises(OperatorError) as caught:
        LinkPointer(tmp_path).move(NEW)

    assert caught.value.reason is Reason.OWNED_BY_OTHERS
    assert (tmp_path / "current").is_dir()


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 80, b"[]", b'{"slot": "1.0.0-0123456789ab"}', b'{"schema": 1, "slot": "../etc"}', b'{"schema":1'],
)
def test_a_torn_or_foreign_pointer_file_leads_nowhere(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "current.json").write_bytes(data)

    assert FilePointer(tmp_path).read() is None


def test_the_pointer_file_waits_for_a_scanner_to_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    pointer = FilePointer(tmp_path, sleep=waits.append)
    pointer.move(OLD)
    held_for(3, monkeypatch)

    pointer.move(NEW)

    assert pointer.read() == NEW
    assert waits == [0.05, 0.1, 0.2]


def test_the_pointer_file_stays_as_it_was_where_the_scanner_never_lets_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    pointer = FilePointer(tmp_path, sleep=waits.append)
    pointer.move(OLD)
    held_for(100, monkeypatch)

    with pytest.raises(HeldError):
        pointer.move(NEW)

    assert pointer.read() == OLD
    assert sum(waits) == pytest.approx(2.55)


def test_another_fault_of_the_pointer_file_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    held_for(1, monkeypatch, PermissionError)

    with pytest.raises(PermissionError):
        FilePointer(tmp_path, sleep=waits.append).move(NEW)

    assert waits == []


def test_windows_gets_a_file_and_the_others_a_link(tmp_path: Path) -> None:
    assert isinstance(pointer_for(tmp_path, "win32"), FilePointer)
    assert isinstance(pointer_for(tmp_path, "macos"), LinkPointer)


@pytest.mark.skipif(sys.platform != "win32", reason="elsewhere an open file keeps nobody from renaming over it")
def test_a_program_that_goes_on_holding_the_pointer_file_is_a_file_in_use(tmp_path: Path) -> None:
    waits: list[float] = []
    pointer = FilePointer(tmp_path, sleep=waits.append)
    pointer.move(OLD)

    with pointer.path.open("rb"), pytest.raises(TransientError) as caught, host_faults("Moving current.json"):
        pointer.move(NEW)

    assert (pointer.read(), sum(waits)) == (OLD, pytest.approx(2.55))
    told = "held by" in caught.value.message  # Wine never tells
    assert caught.value.reason in ((Reason.FILE_IN_USE,) if told else (Reason.FILE_IN_USE, Reason.PERMISSION_DENIED))
