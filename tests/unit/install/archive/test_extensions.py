"""Long names, large sizes, and frames: what extension headers and streams may say."""

import io
from pathlib import Path

import pytest
from support.archives import END, PACKERS, everything_below, header, long_name, member, pax, unpacked

from pawld.errors import RejectedError
from pawld.formats.tar.header import read_header
from pawld.formats.tar.pax import Extensions
from pawld.install.archive import Limits, Links
from pawld.install.archive.decompress import Counted
from pawld.install.archive.limits import named
from pawld.install.archive.zstd_frames import MAX_FRAMES, FrameSource

LONG = "/".join(["directory"] * 12)


@pytest.mark.parametrize("way", ["GNU", "pax"])
def test_a_long_link_target_is_read(tmp_path: Path, way: str) -> None:
    target = f"{LONG}/agent"
    extension = long_name(target, b"K") if way == "GNU" else pax([("linkpath", target)])
    data = extension + member("link", kind=b"2", link="short") + long_name(target) + member("x", b"code") + END
    unpacked(PACKERS["tar.gz"](data), "tar.gz", tmp_path / "slot", Limits(links=Links.INSIDE))
    assert everything_below(tmp_path / "slot")["link"] == target


def test_times_owners_and_attributes_are_left_out(tmp_path: Path) -> None:
    said = [
        ("mtime", "1.5"),
        ("uid", "99999999"),
        ("SCHILY.xattr.user.x", b"\xff\n="),
        ("LIBARCHIVE.creationtime", "1"),
    ]
    data = pax([("comment", "made by git archive")], kind=b"g") + pax(said) + member("agent", b"code") + END
    unpacked(PACKERS["tar.gz"](data), "tar.gz", tmp_path / "slot")
    assert everything_below(tmp_path / "slot") == {"agent": b"code"}


def test_a_size_of_more_than_eight_gigabytes_is_read_in_both_ways() -> None:
    size = 20 << 30
    wide = read_header(memoryview(header("x", size=b"\x80" + size.to_bytes(11, "big"))))
    assert wide.size == size

    extensions = Extensions()
    extension = pax([("size", str(size))])
    extensions.add(read_header(memoryview(extension[:512])), extension[512:].rstrip(b"\0"))
    assert extensions.applied(read_header(memoryview(header("x")))).size == size


def test_a_long_hostile_name_is_cut_in_the_message() -> None:
    assert len(named("\u202e" * 5000)) < 200


def test_a_stream_of_countless_frames_is_refused() -> None:
    frames = FrameSource(Counted(io.BytesIO(b"\x50\x2a\x4d\x18\x00\x00\x00\x00" * (MAX_FRAMES + 1))))
    with pytest.raises(RejectedError, match="frames"):
        frames.read(1 << 20)


def test_a_block_that_repeats_one_byte_is_followed(tmp_path: Path) -> None:
    data = member("zeros", bytes(3 << 20)) + END
    unpacked(PACKERS["tar.zst"](data), "tar.zst", tmp_path / "slot", Limits(ratio=None))
    assert (tmp_path / "slot/zeros").stat().st_size == 3 << 20
