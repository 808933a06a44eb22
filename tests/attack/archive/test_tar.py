"""Hostile tar archives: kinds that no build needs, headers that lie, streams that do not end where they should."""

from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from support.archives import END, PACKERS, everything_below, header, long_name, member, pax, unpacked

from pawld.formats.slot_manifest import FileEntry
from pawld.install.archive import Limits, Links

Refused = Callable[..., str]
FORMS = tuple(PACKERS)
GOOD = member("bin/agent", b"good", mode=b"0000755\0")

KINDS = {
    "hard link": (b"1", "a hard link"),
    "symbolic link": (b"2", "a symbolic link"),
    "character device": (b"3", "a character device"),
    "block device": (b"4", "a block device"),
    "fifo": (b"6", "a fifo"),
    "contiguous file": (b"7", "a contiguous file"),
    "sparse file": (b"S", "a sparse file"),
    "continued file": (b"M", "another volume"),
    "volume label": (b"V", "a volume label"),
    "directory dump": (b"D", "a directory dump"),
    "vendor's own kind": (b"Z", "unknown type 'Z'"),
    "kind out of ASCII": (b"\xff", "unknown type"),
}


@pytest.mark.parametrize(("kind", "words"), KINDS.values(), ids=KINDS.keys())
def test_everything_but_files_and_directories_is_refused(refused: Refused, kind: bytes, words: str) -> None:
    assert words in refused(GOOD + header("lib/evil", kind=kind, link="../../outside/precious") + END)


def test_setuid_setgid_sticky_and_write_for_others_do_not_get_onto_the_disk(tmp_path: Path) -> None:
    data = member("agent", b"x", mode=b"0007777\0") + member("note", b"x", mode=b"0006026\0")
    written = unpacked(PACKERS["tar.gz"](data + END), "tar.gz", tmp_path / "slot")

    assert [one.mode for one in written.entries] == [0o755, 0o644]
    assert (tmp_path / "slot/agent").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "slot/note").stat().st_mode & 0o7777 == 0o644


def test_a_directory_mode_is_not_taken_from_the_archive(tmp_path: Path) -> None:
    data = member("bin", kind=b"5", mode=b"0007000\0") + member("bin/agent", b"x")
    unpacked(PACKERS["tar.gz"](data + END), "tar.gz", tmp_path / "slot")

    assert (tmp_path / "slot/bin").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize(
    "key", ["GNU.sparse.major", "GNU.sparse.realsize", "SCHILY.realsize", "hdrcharset", "VENDOR.x"]
)
def test_an_extension_that_changes_the_meaning_is_refused(refused: Refused, key: str) -> None:
    assert "not understood" in refused(pax([(key, "1")]) + GOOD + END)


LIES = {
    "a wrong checksum": (header("agent", checksum=b"000000\0 "), "checksum"),
    "a checksum that is no number": (header("agent", checksum=b"x" * 8), "no number"),
    "a size that is no number": (header("agent", size=b"0000000009x\0"), "no number"),
    "a negative size in base 256": (header("agent", size=b"\xff" * 12), "no number"),
    "a size beyond everything": (header("agent", size=b"\x80" + b"\xff" * 11), "more than"),
    "a size beyond the limits": (header("agent", size=b"\x80" + bytes(6) + b"\x7f" + bytes(4)), "more than"),
    "a size beyond the archive": (member("agent", b"x", size=100_000), "cut off"),
    "a mode that is no number": (header("agent", mode=b"rwxr-xr-"), "no number"),
    "an unknown form": (header("agent", magic=b"ustar\x0099"), "neither ustar nor GNU"),
    "a directory with content": (member("bin", b"x" * 512, kind=b"5"), "is no file"),
    "a link with content": (member("bin", b"x" * 512, kind=b"2", link="x"), "is no file"),
    "two sizes": (pax([("size", "600")]) + member("agent", b"x" * 512), "two sizes"),
    "a size in words": (pax([("size", "0x10")]) + member("agent", b"x"), "no number"),
    "a size in foreign digits": (pax([("size", "\u0661")]) + member("agent", b"x"), "no number"),
    "two pax headers": (pax([("path", "a")]) + pax([("path", "b")]) + GOOD, "in a row"),
    "two long names": (long_name("a") + long_name("b") + GOOD, "in a row"),
    "two ways to a name": (long_name("a") + pax([("path", "b")]) + GOOD, "twice"),
    "a key twice": (pax([("path", "a"), ("path", "b")]) + GOOD, "damaged extension"),
    "a global name": (pax([("path", "a")], kind=b"g") + GOOD, "all of its members"),
    "a record without a value": (member("x", b"9 pathab\n", kind=b"x") + GOOD, "damaged extension"),
    "a record with a short length": (member("x", b"3 path=a\n", kind=b"x") + GOOD, "damaged extension"),
    "a record with a long length": (member("x", b"99 path=a\n", kind=b"x") + GOOD, "damaged extension"),
    "a record with a negative length": (member("x", b"-9 path=a\n", kind=b"x") + GOOD, "damaged extension"),
    "a record without a line end": (member("x", b"9 path=ab", kind=b"x") + GOOD, "damaged extension"),
    "a key that is not UTF-8": (pax([("path", b"a")]).replace(b"path", b"p\xffth") + GOOD, "not UTF-8"),
    "an empty path": (pax([("path", "")]) + GOOD, "empty"),
    "an empty long name": (long_name("") + GOOD, "empty"),
    "an enormous extension": (header("x", kind=b"x", size=1 << 20), "extension header of"),
    "an extension at the end": (pax([("path", "a")]), "without the member"),
}


@pytest.mark.parametrize(("data", "words"), LIES.values(), ids=LIES.keys())
def test_a_lying_header_is_refused(refused: Refused, data: bytes, words: str) -> None:
    assert words in refused(GOOD + data + END if words != "twice" else data + END)


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_cut_off_anywhere_is_refused(refused: Refused, form: str) -> None:
    whole = PACKERS[form](GOOD + member("lib/data", bytes(range(256)) * 40) + END)
    for end in range(0, len(whole), max(1, len(whole) // 40)):
        refused(whole[:end], form, packed=True)


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_a_zstd_frame_that_ends_within_its_checksum_is_refused(refused: Refused, missing: int) -> None:
    whole = zstandard.ZstdCompressor(write_checksum=True).compress(GOOD + END)
    assert "cut off" in refused(whole[:-missing], "tar.zst", packed=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tail", [b"x", b"PK\x05\x06" + bytes(18), b"#!/bin/sh\n"], ids=["byte", "zip", "script"])
def test_what_follows_the_compressed_stream_is_refused(refused: Refused, form: str, tail: bytes) -> None:
    refused(PACKERS[form](GOOD + END) + tail, form, packed=True)


@pytest.mark.parametrize("form", FORMS)
def test_a_second_archive_in_the_same_stream_is_refused(refused: Refused, form: str) -> None:
    assert "followed" in refused(GOOD + END + member("evil", b"x") + END, form)


@pytest.mark.parametrize("form", FORMS)
def test_a_second_archive_in_a_stream_of_its_own_is_refused(refused: Refused, form: str) -> None:
    two = PACKERS[form](GOOD + END) + PACKERS[form](member("evil", b"x") + END)
    assert "followed" in refused(two, form, packed=True)


@pytest.mark.parametrize("form", FORMS)
def test_a_flipped_bit_in_the_compressed_stream_is_refused(refused: Refused, form: str) -> None:
    whole = bytearray(PACKERS[form](GOOD + member("noise", bytes(i * i % 251 for i in range(4000))) + END))
    whole[len(whole) // 2] ^= 0x10
    refused(bytes(whole), form, packed=True)


def test_a_single_block_of_zeros_is_refused(refused: Refused) -> None:
    assert "single block" in refused(GOOD + bytes(512) + member("evil", b"x") + END)


def test_an_archive_without_an_end_mark_is_refused(refused: Refused) -> None:
    assert "cut off" in refused(GOOD)


def test_padding_without_end_is_refused(refused: Refused) -> None:
    assert "followed" in refused(GOOD + END + bytes(2 << 20), "tar.gz", Limits(ratio=None))


def test_an_empty_archive_is_refused(refused: Refused) -> None:
    assert "no file" in refused(END)


def test_an_unknown_format_is_refused(refused: Refused) -> None:
    assert "no reader" in refused(b"", "tar.bz2", packed=True)


ESCAPES = {
    "absolute": [("bin/evil", "/outside/precious")],
    "above the root": [("bin/evil", "../../outside/precious")],
    "the root": [("bin/evil", "..")],
    "itself": [("bin/evil", "evil")],
    "nowhere": [("bin/evil", "missing")],
    "a twin": [("bin/evil", "AGENT")],
    "a backslash": [("bin/evil", "..\\agent")],
    "up after down": [("bin/evil", "sub/../../../outside")],
    "through a file": [("bin/evil", "agent/x")],
    "a circle": [("bin/a", "b"), ("bin/b", "a")],
    "up through a link": [("deep/link", "../bin"), ("deep/evil", "link/../../outside")],
    "links to links without end": [(f"bin/l{n}", f"l{n + 1}") for n in range(12)] + [("bin/l12", "agent")],
    "empty": [("bin/evil", "./")],
    "NUL": [("bin/evil", "agent\u0000x")],
}


@pytest.mark.parametrize("links", ESCAPES.values(), ids=ESCAPES.keys())
def test_a_link_that_leads_astray_is_refused_even_where_links_are_allowed(
    refused: Refused, links: list[tuple[str, str]]
) -> None:
    data = GOOD + member("bin/sub/file", b"x") + b"".join(member(name, kind=b"2", link=to) for name, to in links)
    refused(data + END, limits=Limits(links=Links.INSIDE))


def test_a_file_below_a_link_is_refused(refused: Refused) -> None:
    """The classic: a link to a directory, then a file through it."""
    data = GOOD + member("lib", kind=b"2", link="bin") + member("lib/evil", b"x")
    assert "one name" in refused(data + END, limits=Limits(links=Links.INSIDE))


def test_a_link_does_not_replace_a_file(refused: Refused) -> None:
    data = GOOD + member("bin/agent", kind=b"2", link="../outside")
    assert "one name" in refused(data + END, limits=Limits(links=Links.INSIDE))


def test_the_realpath_overflow_finds_no_realpath(refused: Refused) -> None:
    """CVE-2025-4517: deep names and links until ``realpath`` gives up, then a name that climbs out."""
    deep, data = "", b""
    for letter in "abcdefghijklmnop":
        name = f"{deep}{letter}"
        data += pax([("path", f"{deep}{'d' * 247}")]) + member("d", kind=b"5")
        data += pax([("path", name), ("linkpath", "d" * 247)]) + member("l", kind=b"2", link="x")
        deep += f"{letter}/"
    data += pax([("path", f"{deep}{'l' * 254}"), ("linkpath", "../" * 16)]) + member("l", kind=b"2", link="x")
    data += member("escape", kind=b"2", link="a/b/c/../../../..") + member("escape/evil", b"owned")
    refused(data + END, limits=Limits(links=Links.INSIDE))


def test_links_that_stay_inside_are_made_last(tmp_path: Path) -> None:
    data = (
        member("lib/agent.so", kind=b"2", link="agent.so.1")
        + member("lib/agent.so.1", kind=b"2", link="../lib/agent.so.1.2")
        + member("share", kind=b"2", link="lib")
        + member("bin/deep/up", kind=b"2", link="../../share/agent.so")
        + member("lib/agent.so.1.2", b"code")
    )
    slot = tmp_path / "slot"
    written = unpacked(PACKERS["tar.zst"](data + END), "tar.zst", slot, Limits(links=Links.INSIDE))

    assert (slot / "bin/deep/up").resolve() == slot / "lib/agent.so.1.2"
    assert FileEntry("lib/agent.so", 0, 0, "", "agent.so.1") in written.entries
    assert everything_below(slot)["share"] == "lib"
