"""What the host does to an unpacking: faults, masks, other streams, other systems."""

import errno
import io
import os
import threading
from pathlib import Path

import pytest
from support.archives import END, PACKERS, Untold, everything_below, member, unpacked

from pawld.errors import RejectedError, TransientError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Limits, Links, place, unpack, unpack_program
from pawld.model import Unpacked
from pawld.reasons import Reason

GOOD = member("bin/agent", b"code" * 1000, mode=b"0000755\0") + member("lib/data", b"x", mode=b"0000600\0") + END


class Failing(io.RawIOBase):
    """A stream whose owner raises in the middle."""

    def __init__(self, data: bytes, error: Exception) -> None:
        super().__init__()
        self._data = io.BytesIO(data)
        self._error = error

    def read(self, size: int = -1, /) -> bytes:
        data = self._data.read(min(size, 50))
        if not data:
            raise self._error
        return data


@pytest.mark.parametrize("form", PACKERS)
def test_what_the_stream_raises_comes_out_as_it_is(tmp_path: Path, form: str) -> None:
    cut = TransientError(Reason.TRANSFER_CUT, "The server closed the connection.")
    stream = Failing(PACKERS[form](GOOD)[:-20], cut)
    (tmp_path / "slot").mkdir()
    threads = threading.active_count()
    with pytest.raises(TransientError) as caught:
        unpack(stream, form, tmp_path / "slot", Limits(), Untold())  # type: ignore[arg-type]  # it is only read
    assert caught.value is cut
    assert threading.active_count() == threads


def test_a_disk_that_fails_while_reading_is_a_fault_of_the_host(tmp_path: Path) -> None:
    stream = Failing(PACKERS["tar.zst"](GOOD)[:-20], OSError(errno.EIO, "Input/output error"))
    (tmp_path / "slot").mkdir()
    with pytest.raises(TransientError) as caught:
        unpack(stream, "tar.zst", tmp_path / "slot", Limits(), Untold())  # type: ignore[arg-type]  # it is only read
    assert caught.value.reason is Reason.IO_FAILED


FAULTS = {errno.ENOSPC: Reason.DISK_FULL, errno.EROFS: Reason.READ_ONLY, errno.EACCES: Reason.PERMISSION_DENIED}


@pytest.mark.parametrize("number", FAULTS)
def test_a_fault_while_writing_is_transient_and_has_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fault(_descriptor: int, _data: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("pawld.install.archive.writer.os.write", fault)
        with pytest.raises(TransientError) as caught:
            unpacked(PACKERS["tar.gz"](GOOD), "tar.gz", tmp_path / "slot")
    assert caught.value.reason is FAULTS[number]


def test_a_short_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr("pawld.install.archive.writer.os.write", lambda fd, data: write(fd, data[:7]))
    unpacked(PACKERS["tar.gz"](GOOD), "tar.gz", tmp_path / "slot")
    monkeypatch.undo()
    assert everything_below(tmp_path / "slot")["bin/agent"] == b"code" * 1000


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    unpacked(PACKERS["tar.gz"](GOOD), "tar.gz", tmp_path / "slot")
    with pytest.raises(RejectedError):
        unpacked(PACKERS["tar.gz"](member("a/b/c/../d") + END), "tar.gz", tmp_path / "other")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_narrow_umask_does_not_narrow_the_slot(tmp_path: Path) -> None:
    mask = os.umask(0o077)
    try:
        unpacked(PACKERS["tar.gz"](GOOD), "tar.gz", tmp_path / "slot")
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(mask)
    modes = {name: (tmp_path / "slot" / name).stat().st_mode & 0o777 for name in ("bin", "bin/agent", "lib/data")}
    assert modes == {"bin": 0o755, "bin/agent": 0o755, "lib/data": 0o644}


def test_a_directory_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    slot = tmp_path / "slot"
    slot.mkdir()
    (slot / "something").write_bytes(b"of somebody")
    with pytest.raises(TransientError, match="not empty"):
        unpack(io.BytesIO(PACKERS["tar.gz"](GOOD)), "tar.gz", slot, Limits(), Untold())
    assert everything_below(slot) == {"something": b"of somebody"}


def test_a_link_in_the_place_of_the_directory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "slot").symlink_to("elsewhere")
    with pytest.raises(TransientError):
        unpack(io.BytesIO(PACKERS["tar.gz"](GOOD)), "tar.gz", tmp_path / "slot", Limits(), Untold())
    assert everything_below(tmp_path / "elsewhere") == {}


def test_a_link_planted_into_the_slot_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else may write there; but if somebody did."""
    (tmp_path / "elsewhere").mkdir()
    mkdir = os.mkdir

    def planted(name: str, mode: int, *, dir_fd: int) -> None:
        mkdir(name, mode, dir_fd=dir_fd)
        os.rename(name, f"{name}.old", src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
        os.symlink(tmp_path / "elsewhere", name, dir_fd=dir_fd)

    slot = tmp_path / "slot"
    slot.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("pawld.install.archive.place.os.mkdir", planted)
        with pytest.raises(TransientError):
            unpack(io.BytesIO(PACKERS["tar.gz"](GOOD)), "tar.gz", slot, Limits(), Untold())
    assert everything_below(tmp_path / "elsewhere") == {}


def test_paths_serve_where_there_are_no_directory_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawld.install.archive.place.os.supports_dir_fd", set())
    links = member("bin/link", kind=b"2", link="agent")
    unpacked(PACKERS["tar.gz"](links + GOOD), "tar.gz", tmp_path / "slot", Limits(links=Links.INSIDE))
    assert everything_below(tmp_path / "slot") == {
        "bin": None,
        "bin/agent": b"code" * 1000,
        "bin/link": "agent",
        "lib": None,
        "lib/data": b"x",
    }
    assert place.FOLDER_MODE == 0o755


def test_a_program_is_copied_and_may_be_run(tmp_path: Path) -> None:
    slot = tmp_path / "slot"
    slot.mkdir()
    progress = Untold()
    limits = Limits.of(Unpacked(600_000, 1))
    written = unpack_program(io.BytesIO(b"#!" + bytes(599_998)), "bin/agent", slot, limits, progress, "a" * 64)

    assert (slot / "bin/agent").stat().st_mode & 0o7777 == 0o755
    assert list(written.entries) == [FileEntry("bin/agent", 600_000, 0o755, "a" * 64)]
    assert progress.told == [("start unpack", 600_000), ("advance", 600_000), ("finish", 0)]


@pytest.mark.parametrize("name", ["../agent", "/agent", "nul", "a\\b"])
def test_a_program_is_not_copied_elsewhere(tmp_path: Path, name: str) -> None:
    slot = tmp_path / "slot"
    slot.mkdir()
    with pytest.raises(RejectedError):
        unpack_program(io.BytesIO(b"x"), name, slot, Limits(), Untold(), "a" * 64)
    assert everything_below(tmp_path) == {"slot": None}


def test_a_program_larger_than_stated_is_refused(tmp_path: Path) -> None:
    (tmp_path / "slot").mkdir()
    with pytest.raises(RejectedError, match="more than 3 bytes"):
        unpack_program(io.BytesIO(b"four"), "agent", tmp_path / "slot", Limits.of(Unpacked(3, 1)), Untold(), "a" * 64)


def test_the_progress_hears_of_every_byte(tmp_path: Path) -> None:
    (tmp_path / "slot").mkdir()
    progress = Untold()
    data = member("big", bytes(3 << 20)) + GOOD
    unpack(io.BytesIO(PACKERS["tar.gz"](data)), "tar.gz", tmp_path / "slot", Limits(ratio=None), progress)
    assert sum(count for what, count in progress.told if what == "advance") == (3 << 20) + 4001
