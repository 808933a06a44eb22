"""Hostile zip archives: two headers that differ, members that overlap, ends that are ambiguous."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.archives import ZipMember, everything_below, unpacked, zipped

from pawld.install.archive import Limits, Links

Refused = Callable[..., str]
GOOD = ZipMember(b"bin/agent", b"good" * 100, mode=0o100755)


def wide(*numbers: int) -> bytes:
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


LOCAL_LIES = {
    "name": {"name": b"bin/other"},
    "method": {"method": 0},
    "flags": {"flags": 0x0002},
    "crc": {"crc": 1},
    "packed": {"packed": 1},
    "size": {"size": 1},
}


@pytest.mark.parametrize("lie", LOCAL_LIES.values(), ids=LOCAL_LIES.keys())
def test_a_local_header_that_differs_from_the_directory_is_refused(refused: Refused, lie: dict[str, object]) -> None:
    member = ZipMember(b"bin/agent", b"good" * 100, local=lie)
    assert "contradict" in refused(zipped([member]), "zip")


CENTRAL_LIES = {
    "crc": ({"crc": 1}, {"crc": 1}, "CRC-32"),
    "size too small": ({"size": 10}, {"size": 10}, "length"),
    "size too large": ({"size": 5000}, {"size": 5000}, "length"),
    "beyond all limits": ({"size": 1 << 31}, {"size": 1 << 31}, "unfolds"),
    "packed too small": ({"packed": 5}, {"packed": 5}, "cut off"),
    "packed too large": ({"packed": 5000}, {"packed": 5000}, "overlaps"),
    "offset": ({}, {"offset": 1}, "overlaps"),
    "offset beyond": ({}, {"offset": 1 << 30}, "overlaps"),
    "another volume": ({}, {"disk": 2}, "volumes"),
}


@pytest.mark.parametrize(("local", "central", "words"), CENTRAL_LIES.values(), ids=CENTRAL_LIES.keys())
def test_headers_that_lie_together_are_refused(
    refused: Refused, local: dict[str, object], central: dict[str, object], words: str
) -> None:
    member = ZipMember(b"bin/agent", b"good" * 100, local=local, central=central)
    assert words in refused(zipped([member]), "zip")


METHODS = {"encrypted": 0x1, "strongly encrypted": 0x41, "masked": 0x2001}


@pytest.mark.parametrize("flags", METHODS.values(), ids=METHODS.keys())
def test_an_encrypted_member_is_refused(refused: Refused, flags: int) -> None:
    assert "encrypted" in refused(zipped([ZipMember(b"agent", b"x", flags=flags)]), "zip")


@pytest.mark.parametrize("flags", [0x10, 0x20, 0x80, 0x1000])
def test_unknown_flags_are_refused(refused: Refused, flags: int) -> None:
    assert "flags" in refused(zipped([ZipMember(b"agent", b"x", flags=flags)]), "zip")


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 99])
def test_unknown_methods_are_refused(refused: Refused, method: int) -> None:
    assert f"method {method}" in refused(zipped([ZipMember(b"agent", b"x", method=method)]), "zip")


def test_overlapping_members_are_refused(refused: Refused) -> None:
    """The quoted-overlap bomb: one kernel of data, many members."""
    second = ZipMember(b"second", b"good" * 100, central={"offset": 0})
    assert "overlaps" in refused(zipped([GOOD, second]), "zip")


def test_two_members_at_one_place_are_refused(refused: Refused) -> None:
    archive = zipped([GOOD])
    directory = archive[archive.index(b"PK\x01\x02") : archive.index(b"PK\x05\x06")]
    start = archive.index(b"PK\x01\x02")
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, 2 * len(directory), start, 0)
    assert "overlaps" in refused(archive[:start] + directory * 2 + end, "zip")


def test_something_before_the_first_member_is_refused(refused: Refused) -> None:
    assert "gap" in refused(zipped([GOOD], before=b"#!/bin/sh\n"), "zip")


def test_something_between_members_and_directory_is_refused(refused: Refused) -> None:
    archive = zipped([GOOD])
    at = archive.index(b"PK\x01\x02")
    data = archive[:at] + b"hidden" + archive[at:-6] + struct.pack("<LH", at + 6, 0)
    assert "between" in refused(data, "zip")


def test_content_hidden_behind_a_deflate_stream_is_refused(refused: Refused) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(GOOD.content) + packer.flush() + b"hidden"
    assert "hides" in refused(zipped([ZipMember(b"agent", GOOD.content, packed=packed)]), "zip")


def test_a_broken_deflate_stream_is_refused(refused: Refused) -> None:
    assert "broken" in refused(zipped([ZipMember(b"agent", b"x" * 9, packed=b"\xff" * 20)]), "zip")


def test_a_stored_member_with_two_lengths_is_refused(refused: Refused) -> None:
    member = ZipMember(b"agent", b"four", method=0, packed=b"four and more")
    assert "length" in refused(zipped([member]), "zip")


ENDS = {
    "fewer entries": ({"entries": 0}, "more members"),
    "more entries": ({"entries": 2}, "cut off"),
    "more entries than allowed": ({"entries": 0xFFFE}, "more than is allowed"),
    "a shorter directory": ({"size": 10}, "does not lie"),
    "a directory elsewhere": ({"offset": 4}, "does not lie"),
    "another volume": ({"disk": 1}, "volumes"),
    "zip64 without its record": ({"entries": 0xFFFF}, "missing"),
}


@pytest.mark.parametrize(("end", "words"), ENDS.values(), ids=ENDS.keys())
def test_an_end_record_that_lies_is_refused(refused: Refused, end: dict[str, int], words: str) -> None:
    assert words in refused(zipped([GOOD], **end), "zip", Limits(files=100, others=100))


def test_two_end_records_are_refused(refused: Refused) -> None:
    inner = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 3) + b"end"
    assert "2 end records" in refused(zipped([GOOD], after=inner), "zip")


def test_what_follows_the_end_is_refused(refused: Refused) -> None:
    assert "0 end records" in refused(zipped([GOOD]) + b"x", "zip")


@pytest.mark.parametrize("share", range(0, 100, 7))
def test_a_zip_cut_off_anywhere_is_refused(refused: Refused, share: int) -> None:
    whole = zipped([GOOD, ZipMember(b"lib/data", bytes(range(256)))])
    refused(whole[: len(whole) * share // 100], "zip")


def test_a_damaged_directory_is_refused(refused: Refused) -> None:
    assert "damaged" in refused(zipped([GOOD]).replace(b"PK\x01\x02", b"PK\x01\x03"), "zip")


KINDS = {"fifo": 0o010644, "character device": 0o020644, "block device": 0o060644, "socket": 0o140644}


@pytest.mark.parametrize("mode", KINDS.values(), ids=KINDS.keys())
def test_devices_and_fifos_are_refused(refused: Refused, mode: int) -> None:
    assert "no file, directory or link" in refused(zipped([ZipMember(b"evil", mode=mode)]), "zip")


def test_a_symbolic_link_is_refused(refused: Refused) -> None:
    link = ZipMember(b"evil", b"../../outside", mode=0o120777)
    assert "symbolic link" in refused(zipped([GOOD, link]), "zip")


def test_a_symbolic_link_to_the_outside_is_refused_even_where_links_are_allowed(refused: Refused) -> None:
    link = ZipMember(b"evil", b"../../outside", mode=0o120777)
    assert "outside" in refused(zipped([GOOD, link]), "zip", Limits(links=Links.INSIDE))


def test_a_link_with_an_enormous_target_is_refused(refused: Refused) -> None:
    link = ZipMember(b"evil", b"x/" * 4000, mode=0o120777)
    assert "target" in refused(zipped([GOOD, link]), "zip", Limits(links=Links.INSIDE))


def test_a_link_that_stays_inside_is_made(tmp_path: Path) -> None:
    link = ZipMember(b"bin/alias", b"agent", mode=0o120777)
    unpacked(zipped([link, GOOD]), "zip", tmp_path / "slot", Limits(links=Links.INSIDE))
    assert everything_below(tmp_path / "slot")["bin/alias"] == "agent"


@pytest.mark.parametrize("mode", [0o100755, 0o120777])
def test_a_directory_that_is_something_else_is_refused(refused: Refused, mode: int) -> None:
    assert "no plain directory" in refused(zipped([ZipMember(b"bin/", mode=mode, method=0)]), "zip")


def test_a_directory_with_content_is_refused(refused: Refused) -> None:
    assert "no plain directory" in refused(zipped([ZipMember(b"bin/", b"x", mode=0o40755, method=0)]), "zip")


def test_a_unicode_path_that_says_the_same_is_read(tmp_path: Path) -> None:
    raw = "é".encode()
    extra = struct.pack("<2HBL2s", 0x7075, 7, 1, zlib.crc32(raw), raw)
    unpacked(zipped([ZipMember(raw, b"x", extra=extra)]), "zip", tmp_path / "slot")
    assert everything_below(tmp_path / "slot") == {"é": b"x"}


EXTRAS = {
    "cut off": b"\x01\x00\xff\x00x",
    "half a header": b"\x01",
    "the same twice": struct.pack("<2H", 0x5455, 0) * 2,
    "another name": struct.pack("<2HB4s", 0x7075, 5, 1, b"name"),
}


@pytest.mark.parametrize("extra", EXTRAS.values(), ids=EXTRAS.keys())
def test_extra_fields_that_are_damaged_or_rename_are_refused(refused: Refused, extra: bytes) -> None:
    assert "extra field" in refused(zipped([ZipMember(b"agent", b"x", extra=extra)]), "zip")


def test_a_zip64_member_is_unpacked(tmp_path: Path) -> None:
    numbers = {"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF, "extra": wide(4, 4)}
    member = ZipMember(b"agent", b"code", method=0, local=numbers, central=numbers)
    unpacked(zipped([member]), "zip", tmp_path / "slot")
    assert everything_below(tmp_path / "slot") == {"agent": b"code"}


def test_a_zip64_member_without_its_field_is_refused(refused: Refused) -> None:
    numbers = {"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF}
    member = ZipMember(b"agent", b"code", method=0, local=numbers, central=numbers)
    assert "zip64" in refused(zipped([member]), "zip")


def zip64(**lies: int) -> bytes:
    """An archive whose end record is a zip64 one."""
    archive = zipped([GOOD])
    start, end = archive.index(b"PK\x01\x02"), archive.index(b"PK\x05\x06")
    said = {"length": 44, "disk": 0, "here": 1, "entries": 1, "size": end - start, "offset": start} | lies
    record = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", said["length"], 45, 45, said["disk"], 0, said["here"], said["entries"],
        said["size"], said["offset"],
    )  # fmt: skip
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, lies.get("at", end), lies.get("disks", 1))
    small = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, lies.get("small", 0xFFFFFFFF), 0xFFFFFFFF, 0)
    return archive[:end] + record + locator + small


def test_a_zip64_end_record_is_understood(tmp_path: Path) -> None:
    unpacked(zip64(), "zip", tmp_path / "slot")
    assert everything_below(tmp_path / "slot")["bin/agent"] == GOOD.content


ZIP64_LIES = {
    "elsewhere": ({"at": 3}, "missing"),
    "far beyond": ({"at": 1 << 60}, "missing"),
    "before the start": ({"at": (1 << 64) - 1}, "missing"),
    "its length": ({"length": 45}, "length"),
    "several volumes": ({"disks": 2}, "volumes"),
    "another volume": ({"disk": 1}, "volumes"),
    "two numbers of members": ({"here": 2}, "volumes"),
    "a contradiction": ({"small": 7}, "contradict"),
    "an enormous directory": ({"size": 1 << 62}, "does not lie"),
    "an enormous number of members": ({"here": 1 << 60, "entries": 1 << 60}, "more than is allowed"),
}


@pytest.mark.parametrize(("lies", "words"), ZIP64_LIES.values(), ids=ZIP64_LIES.keys())
def test_a_zip64_end_record_that_lies_is_refused(refused: Refused, lies: dict[str, int], words: str) -> None:
    assert words in refused(zip64(**lies), "zip")


def streamed(descriptor: bytes | None = None) -> bytes:
    return zipped([ZipMember(b"bin/agent", b"good" * 100, flags=8, descriptor=descriptor), ZipMember(b"b", b"x")])


@pytest.mark.parametrize("shape", ["<3L", "<4s3L", "<L2Q", "<4sL2Q"])
def test_a_descriptor_is_read_in_each_of_its_four_shapes(tmp_path: Path, shape: str) -> None:
    packed = streamed(b"").index(b"PK\x03\x04", 4) - len(b"bin/agent") - 30
    numbers = (zlib.crc32(b"good" * 100), packed, 400)
    values = (b"PK\x07\x08", *numbers) if "s" in shape else numbers
    unpacked(streamed(struct.pack(shape, *values)), "zip", tmp_path / "slot")
    assert set(everything_below(tmp_path / "slot")) == {"b", "bin", "bin/agent"}


@pytest.mark.parametrize("descriptor", [b"", b"PK\x07\x08" + bytes(12), bytes(12), bytes(17)])
def test_a_descriptor_that_lies_is_refused(refused: Refused, descriptor: bytes) -> None:
    assert "numbers that contradict" in refused(streamed(descriptor), "zip")
