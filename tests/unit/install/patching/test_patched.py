"""A slot out of a patch is the slot that the full build makes, or it is none."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.patches import File, Pair, PatchHost, content_of, edited, packed, program

from pawld.errors import PawldError, TransientError
from pawld.formats import patch as container
from pawld.formats.patch import Moved, NewFile, PatchHeader, Segment
from pawld.install.archive import Links
from pawld.install.layout import read_manifest
from pawld.reasons import Reason

pytest.importorskip("hdiffpatch")

OLD_PROGRAM = program(1)
OLD = {
    "bin/acme": File(OLD_PROGRAM, 0o755),
    "lib/a.so": File(program(2, 50_000)),
    "lib/same.so": File(program(3, 50_000)),
    "lib/current": File(target="same.so"),
    "lib/stays": File(target="same.so"),
    "share/tool": File(b"#!/bin/sh\n", 0o644),
    "share/old-name": File(program(4, 40_000)),
    "share/gone": File(b"gone"),
    "empty": File(b""),
}
NEW = {
    "bin/acme": File(edited(OLD_PROGRAM, 5), 0o755),
    "lib/a.so": File(edited(program(2, 50_000), 6)),
    "lib/same.so": File(program(3, 50_000)),
    "lib/current": File(target="a.so"),
    "lib/stays": File(target="same.so"),
    "share/tool": File(b"#!/bin/sh\n", 0o755),
    "share/new-name": File(program(4, 40_000)),
    "share/fresh/words": File(b"new words\n" * 1000),
    "empty": File(b""),
    "also-empty": File(b""),
}
Made = Callable[[bytes, bytes, str], PatchHost]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Made]:
    pairs: list[Pair] = []

    def made(old: bytes, new: bytes, form: str) -> PatchHost:
        pairs.append(Pair(tmp_path / f"pair{len(pairs)}", old, new, form))
        return PatchHost(tmp_path / f"root{len(pairs)}", pairs[-1], links=Links.INSIDE)

    yield made
    for pair in pairs:
        pair.close()


@pytest.fixture
def tree(host: Made) -> PatchHost:
    return host(packed(OLD, ["logs/old"]), packed(NEW, ["logs/new"]), "tar.gz")


@pytest.fixture
def single(host: Made) -> PatchHost:
    return host(OLD_PROGRAM, edited(OLD_PROGRAM, 5), "file")


def refused(host: PatchHost, data: bytes | None = None) -> PawldError:
    """Stage a patch that must not become a slot; return the error, having seen that nothing is left of it."""
    before = content_of(host.base)
    with pytest.raises(PawldError) as caught:
        host.patched(data)
    assert host.left_behind() == []
    assert content_of(host.base) == before
    assert host.installer.current() == host.base
    return caught.value


def with_header(host: PatchHost, header: PatchHeader, differences: list[bytes] | None = None) -> bytes:
    path = host.pair.home / "forged"
    with path.open("wb") as file:
        container.write(header, iter(differences or []), file)
    return path.read_bytes()


def header_of(host: PatchHost) -> PatchHeader:
    with (host.pair.home / "patch").open("rb") as file:
        return container.PatchReader(file).header


def test_a_patched_tree_is_what_the_full_build_unpacks_to(tree: PatchHost, host: Made) -> None:
    slot = tree.patched()

    other = host(packed(OLD, ["logs/old"]), packed(NEW, ["logs/new"]), "tar.gz").whole()
    assert content_of(slot) == content_of(other)
    assert tree.installer.intact(slot)
    made, whole = read_manifest(slot.path), read_manifest(other.path)
    assert made is not None
    assert whole is not None
    assert sorted(made.files, key=str) == sorted(whole.files, key=str)
    assert made.directories == whole.directories


def test_a_patch_for_few_changes_is_a_fraction_of_the_build(tree: PatchHost) -> None:
    assert len(tree.pair.bytes) < 0.02 * tree.pair.record.length
    header = header_of(tree)
    assert {(one.path, one.mode, one.source) for one in header.moved} == {
        ("share/new-name", 0o644, "share/old-name"),
        ("share/tool", 0o755, "share/tool"),
        ("also-empty", 0o644, "empty"),
    }
    assert {one.path for one in header.new} == {"bin/acme", "lib/a.so", "share/fresh/words"}
    assert header.removed == ("share/gone", "share/old-name")
    assert (header.made, header.unmade) == (("logs/new", "share/fresh"), ("logs/old",))
    assert header.links == (("lib/current", "a.so"),)


def test_a_patched_program_is_the_very_build(single: PatchHost) -> None:
    slot = single.patched()

    assert content_of(slot)["bin/acme"] == (0o755, single.pair.new)
    assert single.installer.intact(slot)


def test_files_of_the_base_are_never_hard_linked(tree: PatchHost) -> None:
    slot = tree.patched()

    kept = slot.path / "lib/same.so"
    assert kept.stat().st_nlink == 1
    kept.write_bytes(b"an agent writes into its own files")
    assert tree.installer.intact(tree.base)


@pytest.mark.parametrize("victim", ["lib/same.so", "bin/acme"])
def test_a_damaged_base_is_noticed_before_anything_is_made_of_it(tree: PatchHost, victim: str) -> None:
    path = tree.base.path / victim
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)

    assert refused(tree).reason is Reason.SLOT_DAMAGED


def test_a_damaged_program_is_noticed(single: PatchHost) -> None:
    (single.base.path / "bin/acme").write_bytes(b"short")

    assert refused(single).reason is Reason.SLOT_DAMAGED


def test_a_link_in_the_place_of_a_file_is_not_followed(tree: PatchHost) -> None:
    path = tree.base.path / "lib/a.so"
    path.unlink()
    path.symlink_to("same.so")

    assert isinstance(refused(tree), TransientError)


def test_a_patch_for_another_base_is_refused(tree: PatchHost, single: PatchHost, host: Made) -> None:
    other = host(packed(OLD | {"x": File(b"x")}), packed(NEW), "tar.gz")
    error = refused(tree, other.pair.bytes)
    assert (error.reason, "another base" in error.message) == (Reason.PATCH_FAILED, True)
    assert refused(tree, single.pair.bytes).reason is Reason.PATCH_FAILED
    assert refused(single, tree.pair.bytes).reason is Reason.PATCH_FAILED


def test_a_patch_from_another_program_is_refused(single: PatchHost) -> None:
    record = single.pair.record
    other = replace(record, patches=(replace(record.patches[0], from_sha256="a" * 64),))
    with pytest.raises(TransientError) as caught:
        single.patched(record=other)
    assert caught.value.reason is Reason.PATCH_FAILED


def test_a_patch_for_another_release_makes_no_slot_of_this_one(tree: PatchHost, host: Made) -> None:
    other = host(packed(OLD, ["logs/old"]), packed(NEW | {"empty": File(b"!")}, ["logs/new"]), "tar.gz")
    error = refused(tree, other.pair.bytes)
    assert error.reason in (Reason.DIGEST_MISMATCH, Reason.ARCHIVE_REFUSED)


def test_a_program_that_comes_out_wrong_is_refused(single: PatchHost, host: Made) -> None:
    other = host(single.pair.old, edited(single.pair.new, 9, 1), "file")
    assert refused(single, other.pair.bytes).reason in (Reason.DIGEST_MISMATCH, Reason.ARCHIVE_REFUSED)


@pytest.mark.parametrize(
    "change",
    [
        {"new": (NewFile("../out", 0o644, 1),), "segments": (Segment(0, 0, 1, 1, "a" * 64),)},
        {"made": ("../out",)},
        {"links": (("bad", "../../outside"),)},
        {"moved": (Moved("x", 0o644, "nowhere"),)},
        {"old": ("nowhere",)},
        {"removed": ("bin/acme",)},
    ],
    ids=["a file outside", "a folder outside", "a link outside", "nothing to move", "nothing to read", "less"],
)
def test_a_header_that_lies_makes_no_slot(tree: PatchHost, change: dict[str, object]) -> None:
    header = replace(PatchHeader(header_of(tree).base_tree, (), (), ()), **change)  # type: ignore[arg-type]  # the table

    error = refused(tree, with_header(tree, header, [b"x"] if "segments" in change else []))
    assert error.reason in (Reason.PATCH_FAILED, Reason.ARCHIVE_REFUSED, Reason.DIGEST_MISMATCH)
    assert not (tree.root / "out").exists()


def test_a_segment_beyond_the_base_is_refused(single: PatchHost) -> None:
    header = header_of(single)
    far = replace(header, segments=(replace(header.segments[0], start=10**9),))
    assert "more than the base has" in refused(single, with_header(single, far, [b"x" * 10**4])).message


def test_a_difference_that_would_make_another_length_never_reaches_the_engine(single: PatchHost) -> None:
    header = header_of(single)
    segment = replace(header.segments[0], difference=20)
    huge = b"HDIFF13&\0" + b"\xff\xff\xff\x7f" + bytes(7)
    error = refused(single, with_header(single, replace(header, segments=(segment,)), [huge]))
    assert "another number of bytes" in error.message


def test_something_after_the_last_difference_is_refused(single: PatchHost) -> None:
    with (single.pair.home / "patch").open("rb") as file:
        reader = container.PatchReader(file)
        difference = b"".join(reader.difference(reader.header.segments[0]))
    error = refused(single, with_header(single, reader.header, [difference, b"more"]))
    assert "follows its last difference" in error.message


def test_where_the_child_cannot_be_started_the_patch_has_failed(
    single: PatchHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    assert "does not start" in refused(single).message


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_a_host_that_refuses_links_refuses_them_out_of_a_patch_too(tmp_path: Path) -> None:
    old = {"bin/acme": File(b"#!/bin/sh\n", 0o755)}
    pair = Pair(tmp_path / "pair", packed(old), packed(old | {"b": File(target="bin/acme")}))
    error = refused(PatchHost(tmp_path / "root", pair))
    assert error.reason is Reason.ARCHIVE_REFUSED
    pair.close()
