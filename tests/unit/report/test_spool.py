"""What could not be sent waits on disk, within bounds, and no fault of the disk leaves the spool."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from support.letters import AT, document

from pawld.report import spool as spool_module
from pawld.report.letter import Letter
from pawld.report.spool import Spool
from pawld.report.spool_state import Backlog, Loss, backlogs

MiB = 1 << 20


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spool" / "webhook"


def opened(place: Path, size: int = MiB, most: int = 100) -> Spool:
    return Spool(place, size=size, most=most)


def emptied(spool: Spool) -> Sequence[str]:
    versions = []
    while (letter := spool.first()) is not None:
        versions.append(letter.document["version"])
        spool.delivered(letter)
    return versions


def names(place: Path) -> list[str]:
    return sorted(file.name for file in place.iterdir())


def test_documents_come_out_in_the_order_in_which_they_went_in_over_processes(place: Path) -> None:
    opened(place).put(document(1))
    opened(place).put(document(2))
    spool = opened(place)
    spool.put(document(3))
    assert emptied(spool) == ["1.1.0", "1.2.0", "1.3.0"]
    assert names(place) == ["last"]


def test_a_document_is_for_its_owner_alone(place: Path) -> None:
    opened(place).put(document())
    (file,) = place.iterdir()
    assert (place.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)


def test_what_was_sent_and_not_yet_forgotten_is_sent_again_with_the_same_id(place: Path) -> None:
    spool = opened(place)
    spool.put(document())
    first, again = spool.first(), opened(place).first()
    assert first is not None
    assert again is not None
    assert first.document["id"] == again.document["id"]


def test_too_many_drop_the_oldest_and_count_them(place: Path) -> None:
    spool = opened(place, most=3)
    for number in range(5):
        spool.put(document(number))
    letter = opened(place, most=3).first()
    assert letter is not None
    assert (letter.document["version"], letter.lost) == ("1.2.0", 2)
    assert backlogs(place.parent) == [Backlog("webhook", 3, {Loss.FULL: 2})]


def test_too_many_bytes_drop_the_oldest_but_never_the_newest(place: Path) -> None:
    spool = opened(place, size=1)
    spool.put(document(1))
    spool.put(document(2))
    assert emptied(spool) == ["1.2.0"]
    assert backlogs(place.parent) == [Backlog("webhook", 0, {Loss.FULL: 1})]


def test_a_letter_that_made_room_while_it_was_sent_is_no_fault(place: Path) -> None:
    spool = opened(place, most=1)
    spool.put(document(1))
    letter = spool.first()
    assert letter is not None
    spool.put(document(2))
    spool.delivered(letter)
    assert emptied(spool) == ["1.2.0"]


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x00" * 100, b"[1]", b'{"id": 1}', b'{"id": "a", "at": "b", "agent": "c", "reason": "d"}', b"[" * 99999],
    ids=["empty", "zeros", "no-object", "no-letter", "no-reason", "endless"],
)
def test_a_file_that_cannot_be_read_is_set_aside_and_the_next_one_sent(place: Path, damage: bytes) -> None:
    spool = opened(place)
    spool.put(document(1))
    spool.put(document(2))
    (place / "000000000001.json").write_bytes(damage)
    letter = spool.first()
    assert letter is not None
    assert (letter.document["version"], letter.lost) == ("1.2.0", 1)
    assert (place / "unreadable").read_bytes() == damage
    assert backlogs(place.parent)[0].losses == {Loss.UNREADABLE: 1}


def test_what_can_neither_be_read_nor_moved_is_passed_over(place: Path) -> None:
    spool = opened(place)
    spool.put(document(1))
    spool.put(document(2))
    (place / "000000000001.json").write_bytes(b"")
    (place / "unreadable").mkdir()
    assert emptied(spool) == ["1.2.0"]
    assert (place / "000000000001.json").exists()


def test_a_spool_without_a_place_sends_from_memory_in_order(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("no directory")
    spool = opened(tmp_path / "spool", most=2)
    for number in range(3):
        spool.put(document(number))
    assert spool.newest() is None
    assert emptied(spool) == ["1.1.0", "1.2.0"]


def test_a_disk_that_is_full_for_a_while_changes_no_order(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device", str(path))

    spool = opened(place)
    spool.put(document(1))
    with monkeypatch.context() as now:
        now.setattr(spool_module, "write_durably", full)
        spool.put(document(2))
        spool.hold(AT, None)
    spool.put(document(3))
    assert spool.is_resting(AT), "what cannot be written is known until the process ends"
    assert emptied(spool) == ["1.1.0", "1.2.0", "1.3.0"]


@pytest.mark.skipif(os.name == "nt", reason="there a directory is not closed by its mode")
def test_what_was_sent_and_cannot_be_forgotten_is_not_sent_twice_by_one_process(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(self: Path, target: Path) -> Path:
        raise OSError(30, "Read-only file system", str(self))

    spool = opened(place)
    spool.put(document())
    with monkeypatch.context() as now:
        now.setattr(Path, "replace", read_only)
        assert emptied(spool) == ["1.0.0"]
    assert emptied(opened(place)) == ["1.0.0"]


def test_rests_grow_and_a_delivery_ends_them(place: Path) -> None:
    spool = opened(place)
    spool.put(document())
    spool.hold(AT, None)
    assert (spool.is_resting(AT), spool.is_resting(AT + timedelta(minutes=1))) == (True, False)
    spool = opened(place)  # another process
    spool.hold(AT, None)
    assert (spool.is_resting(AT + timedelta(minutes=1)), spool.is_resting(AT + timedelta(minutes=2))) == (True, False)
    emptied(spool)
    assert not opened(place).is_resting(AT)


def test_a_rest_is_as_long_as_the_receiver_asks_and_a_clock_set_back_does_not_make_it_endless(place: Path) -> None:
    spool = opened(place)
    spool.put(document())
    spool.hold(AT, timedelta(hours=2))
    assert spool.is_resting(AT + timedelta(minutes=119))
    assert not spool.is_resting(AT + timedelta(hours=2))
    assert not spool.is_resting(AT - timedelta(days=30))


def test_a_letter_that_is_refused_is_counted_and_gone(place: Path) -> None:
    spool = opened(place)
    spool.put(document(1))
    spool.put(document(2))
    letter = spool.first()
    assert letter is not None
    spool.refuse(letter)
    assert emptied(spool) == ["1.2.0"]
    assert backlogs(place.parent)[0].losses == {Loss.REFUSED: 1}


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"lost": {"else": 1}, "failures": 0, "retry_at": null}'])
def test_a_state_that_cannot_be_read_begins_anew(place: Path, damage: bytes) -> None:
    spool = opened(place)
    spool.put(document())
    (place / "state").write_bytes(damage)
    letter = opened(place).first()
    assert isinstance(letter, Letter)
    assert letter.lost == 0


def test_the_newest_is_known_before_and_after_it_was_sent(place: Path) -> None:
    spool = opened(place)
    assert spool.newest() is None
    spool.put(document(1))
    spool.put(document(2))
    newest = spool.newest()
    assert newest is not None
    assert newest["version"] == "1.2.0"
    emptied(spool)
    assert opened(place).newest() == newest


def test_a_host_without_spools_has_no_backlog(tmp_path: Path) -> None:
    assert backlogs(tmp_path / "spool") == []


@pytest.mark.parametrize("name", ["1.json", "0000000000001.json", "\u00b2.json", "\u0661" * 12 + ".json"])
def test_a_file_of_another_name_is_not_sent_again_and_again(place: Path, name: str) -> None:
    opened(place).put(document(1))
    (place / "000000000001.json").rename(place / name)
    assert opened(place).first() is None
    assert (place / name).exists()
