"""Traversal by every spelling: whatever a name says, nothing lies outside the slot."""

import os
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest
from support.archives import END, ZipMember, long_name, member, pax, zipped

from pawld.install.archive.names import relative
from pawld.install.archive.place import place_in
from pawld.install.archive.tree import Tree

Refused = Callable[..., str]

TRAVERSALS = {
    "parent": "../outside/precious",
    "parent in the middle": "bin/../../../outside/precious",
    "parent at the end": "bin/..",
    "parent alone": "..",
    "dot in the middle": "bin/./agent",
    "empty component": "bin//agent",
    "absolute": "/outside/precious",
    "absolute after a dot": ".//outside/precious",
    "drive": "C:/Windows/agent.exe",
    "drive without a root": "C:agent.exe",
    "UNC": "//server/share/agent",
    "UNC with backslashes": "\\\\server\\share\\agent",
    "device path": "\\\\?\\C:\\agent",
    "backslash": "bin\\..\\..\\agent",
    "alternate data stream": "agent.exe:hidden",
    "wild card": "agent*",
    "control character": "agent\x1b[2J",
    "line break": "agent\nagent",
    "delete": "agent\x7f",
    "C1 control": "agent\x9b",
    "text direction": "agent\u202egpj.exe",
    "zero width": "agent\u200b",
    "line separator": "agent\u2028",
    "trailing dot": "agent.",
    "trailing space": "agent ",
    "dots": "...",
    "space": " ",
    "reserved": "CON",
    "reserved with an extension": "lib/nul.txt",
    "reserved with two extensions": "Aux.tar.gz",
    "reserved with a space": "com1 .txt",
    "reserved with a superscript": "COM\u00b9.txt",
    "reserved as a directory": "prn/agent",
    "NFD": "cafe\u0301",
    "long component": "a" * 256,
    "long component in wide letters": "é" * 128,
    "long path": "/".join(["d" * 60] * 9),
    "deep path": "/".join("d" * 34),
    "empty after a slash": "bin/",
}


@pytest.mark.parametrize("name", TRAVERSALS.values(), ids=TRAVERSALS.keys())
@pytest.mark.parametrize("way", ["header", "pax", "GNU long name", "zip"])
def test_a_traversing_name_is_refused_in_every_place_where_a_name_stands(refused: Refused, name: str, way: str) -> None:
    if way == "header" and len(name.encode()) > 100:
        pytest.skip("it does not fit the field")
    if way == "zip":
        if name.endswith("/"):
            pytest.skip("that is a directory there")
        raw = name.encode()
        message = refused(zipped([ZipMember(raw, b"evil", flags=0 if raw.isascii() else 0x800)]), "zip")
    elif way == "header":
        message = refused(member(name, b"evil") + END)
    elif way == "pax":
        message = refused(pax([("path", name)]) + member("agent", b"evil") + END)
    else:
        message = refused(long_name(name) + member("agent", b"evil") + END)
    assert "archive" in message


@pytest.mark.parametrize("name", ["../outside", "/outside", "C:", "a/../..", "nul", "d.", "d\\e"])
def test_a_traversing_directory_is_refused(refused: Refused, name: str) -> None:
    refused(member(name, kind=b"5") + END)


@pytest.mark.parametrize("name", ["../outside", "/outside", "C:", "a/../..", "nul", "d.", "d\\e"])
def test_a_traversing_directory_in_a_zip_is_refused(refused: Refused, name: str) -> None:
    refused(zipped([ZipMember(name.encode() + b"/", mode=0o40755, method=0)]), "zip")


def test_a_nul_in_a_name_hides_nothing(refused: Refused) -> None:
    assert "NUL" in refused(member(b"agent\0/../../outside", b"evil") + END)


def test_a_nul_in_a_pax_path_hides_nothing(refused: Refused) -> None:
    assert "cut" in refused(pax([("path", b"agent\0../x")]) + member("a", b"evil") + END)


def test_a_nul_in_a_long_name_hides_nothing(refused: Refused) -> None:
    assert "cut" in refused(long_name(b"agent\0../x") + member("a", b"evil") + END)


def test_a_nul_in_a_zip_name_hides_nothing(refused: Refused) -> None:
    assert "NUL" in refused(zipped([ZipMember(b"agent\0.txt", b"evil")]), "zip")


@pytest.mark.parametrize("raw", [b"agent\xff", b"\xc0\xae\xc0\xae/agent", b"\xed\xa0\x80"])
def test_a_name_that_is_not_utf8_is_refused(refused: Refused, raw: bytes) -> None:
    assert "not UTF-8" in refused(member(raw, b"evil") + END)


def test_a_zip_name_in_an_unmarked_character_set_is_refused(refused: Refused) -> None:
    assert "unknown character set" in refused(zipped([ZipMember("é".encode(), b"evil", made_by=0)]), "zip")


TWINS = {
    "the same name twice": ("bin/agent", "bin/agent"),
    "case": ("bin/agent", "bin/Agent"),
    "case in a directory": ("bin/agent", "Bin/other"),
    "sharp s": ("straße", "STRASSE"),
    "long s": ("class", "cla\u017fs"),
    "Kelvin": ("k", "\u212a"),
    "Greek final sigma": ("\u03c3\u03b1\u03c2", "\u03c3\u03b1\u03c3"),
}


@pytest.mark.parametrize(("first", "second"), TWINS.values(), ids=TWINS.keys())
def test_twins_are_refused(refused: Refused, first: str, second: str) -> None:
    assert "one name" in refused(member(first, b"good") + member(second, b"evil") + END)


@pytest.mark.parametrize(("first", "second"), TWINS.values(), ids=TWINS.keys())
def test_twins_in_a_zip_are_refused(refused: Refused, first: str, second: str) -> None:
    members = [ZipMember(name.encode(), b"x", flags=0x800) for name in (first, second)]
    assert "one name" in refused(zipped(members), "zip")


def test_a_file_does_not_become_a_directory(refused: Refused) -> None:
    assert "one name" in refused(member("bin", b"good") + member("bin/agent", b"evil") + END)


def test_a_directory_does_not_become_a_file(refused: Refused) -> None:
    assert "one name" in refused(member("bin/agent", b"good") + member("bin", b"evil") + END)


def test_a_directory_stands_once(refused: Refused) -> None:
    assert "twice" in refused(member("bin", kind=b"5") + member("bin/", kind=b"5") + END)


def test_a_file_does_not_replace_the_root(refused: Refused) -> None:
    refused(member("./", b"evil") + END)


@pytest.mark.parametrize("name", [".pawld-slot.json", ".PAWLD-slot.json", "..pawld-slot.json.new"])
@pytest.mark.parametrize("below", ["", "/file"])
def test_what_a_slot_writes_for_itself_is_no_members_name(refused: Refused, name: str, below: str) -> None:
    assert "for itself" in refused(member(name + below, b"{}") + END)


def test_a_hostile_name_does_not_reach_the_terminal(refused: Refused) -> None:
    message = refused(member("\x1b]0;owned\x07" + "A" * 80, b"evil") + END)
    assert "\x1b" not in message
    assert len(message) < 400


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="this system knows no openat")
def test_a_link_that_somebody_plants_meanwhile_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"the agent that runs")
    slot = tmp_path / "slot"
    slot.mkdir()
    tree = Tree()
    (folder,) = tree.folder("bin")
    place = place_in(slot)
    (slot / "agent").symlink_to("../precious")
    (slot / "bin").symlink_to("..")

    with pytest.raises(FileExistsError):
        place.make_file(tree.root, "agent", 0o644)
    with pytest.raises(OSError):  # noqa: PT011 - ELOOP or ENOTDIR, as the system has it
        place.make_file(folder, "planted", 0o644)
    place.close()

    assert (tmp_path / "precious").read_bytes() == b"the agent that runs"
    assert not (tmp_path / "planted").exists()


def test_a_name_of_a_megabyte_of_dots_takes_no_time() -> None:
    begun = process_time()
    assert relative("./" * 500_000 + "agent") == "agent"
    assert process_time() - begun < 2
