"""Archives that real tools make unpack to the tree that went in."""

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.archives import PACKERS, everything_below, unpacked

from pawld.errors import PawldError
from pawld.install.archive import Limits

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_+-é中"
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(10))}
NAMES = st.text(LETTERS, min_size=1, max_size=60).filter(lambda name: name[0] != "-" and name not in DEVICES)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)
TREES = st.dictionaries(PATHS, st.binary(max_size=3000), min_size=1, max_size=8)
CAMPAIGN = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(tree: dict[str, bytes], root: Path) -> dict[str, bytes]:
    """Write *tree* below *root*, leaving out what is in the way of another."""
    written: dict[str, bytes] = {}
    for name, content in tree.items():
        path = root / name
        if any(parent.is_file() for parent in path.parents) or path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written[name] = content
    return written


def packed_by_gnu_tar(form: str, root: Path) -> bytes:
    command = ["tar", "-C", str(root), f"--format={form}", "-cf", "-", "."]
    return subprocess.run(command, capture_output=True, check=True).stdout


def packed_by_tarfile(form: int, root: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        archive.add(root, arcname="")
    return out.getvalue()


WRITERS = {
    "GNU tar, gnu": lambda root: packed_by_gnu_tar("gnu", root),
    "GNU tar, pax": lambda root: packed_by_gnu_tar("posix", root),
    "tarfile, gnu": lambda root: packed_by_tarfile(tarfile.GNU_FORMAT, root),
    "tarfile, pax": lambda root: packed_by_tarfile(tarfile.PAX_FORMAT, root),
}


def unpacks_to(data: bytes, form: str, tree: dict[str, bytes], slot: Path) -> None:
    written = unpacked(data, form, slot, Limits(ratio=None))
    found = {name: content for name, content in everything_below(slot).items() if content is not None}
    assert found == tree
    assert {one.path: (one.size, one.sha256) for one in written.entries} == {
        name: (len(content), sha256(content).hexdigest()) for name, content in tree.items()
    }
    assert written.totals.bytes == sum(map(len, tree.values()))


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS.keys())
@given(tree=TREES, form=st.sampled_from(sorted(PACKERS)))
@CAMPAIGN
def test_a_random_tree_comes_back(writer: "object", tree: dict[str, bytes], form: str) -> None:
    assert callable(writer)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "tree"
        root.mkdir()
        expected = made(tree, root)
        unpacks_to(PACKERS[form](writer(root)), form, expected, Path(scratch) / "slot")


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP is not installed")
@given(tree=TREES)
@CAMPAIGN
def test_a_random_tree_comes_back_from_info_zip(tree: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "tree"
        root.mkdir()
        expected = made(tree, root)
        archive = Path(scratch) / "tree.zip"
        locale = {**os.environ, "LC_ALL": "C.UTF-8"}
        subprocess.run(["zip", "-q", "-r", "-UN=UTF8", archive, "."], cwd=root, check=True, env=locale)
        unpacks_to(archive.read_bytes(), "zip", expected, Path(scratch) / "slot")


@given(tree=TREES)
@CAMPAIGN
def test_a_random_tree_comes_back_from_python_s_zip(tree: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "tree"
        root.mkdir()
        expected = made(tree, root)
        shutil.make_archive(str(Path(scratch) / "tree"), "zip", root)
        unpacks_to((Path(scratch) / "tree.zip").read_bytes(), "zip", expected, Path(scratch) / "slot")


def test_ustar_with_a_prefix_is_read(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    tree = made({f"{'directory/' * 12}agent": b"code"}, root)
    unpacks_to(PACKERS["tar.gz"](packed_by_gnu_tar("ustar", root)), "tar.gz", tree, tmp_path / "slot")


def test_a_large_file_goes_through_many_blocks(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    root.mkdir()
    tree = made({"data": os.urandom(9_000_001), "more": os.urandom(1_048_064), "small": b"x"}, root)
    for number, form in enumerate(PACKERS):
        data = PACKERS[form](packed_by_gnu_tar("gnu", root))
        unpacks_to(data, form, tree, tmp_path / f"slot{number}")


@pytest.mark.parametrize("flags", [["-19"], ["--long=24"], ["-1", "--no-check"], ["-T2", "-B1MiB"]])
def test_what_the_zstd_tool_makes_is_read(tmp_path: Path, flags: list[str]) -> None:
    root = tmp_path / "tree"
    tree = made({"data": b"some text, again and again\n" * 200_000, "noise": os.urandom(300_000)}, root)
    packed = subprocess.run(
        ["zstd", "-q", "-c", *flags], input=packed_by_gnu_tar("gnu", root), capture_output=True, check=True
    ).stdout
    unpacks_to(packed, "tar.zst", tree, tmp_path / "slot")


def test_several_zstd_frames_with_skippable_ones_between_are_read(tmp_path: Path) -> None:
    """``pzstd`` writes this."""
    root = tmp_path / "tree"
    tree = made({"data": b"abc" * 1000}, root)
    tar = packed_by_gnu_tar("gnu", root)
    skippable = b"\x50\x2a\x4d\x18\x04\x00\x00\x00size"
    empty = b"\x5f\x2a\x4d\x18\x00\x00\x00\x00"
    packed = empty + b"".join(skippable + PACKERS["tar.zst"](tar[at : at + 3000]) for at in range(0, len(tar), 3000))
    unpacks_to(packed, "tar.zst", tree, tmp_path / "slot")


@pytest.mark.parametrize("flags", [["-0"], ["-7"], ["-T2", "--block-size=64KiB"], ["--check=sha256"]])
def test_what_the_xz_tool_makes_is_read(tmp_path: Path, flags: list[str]) -> None:
    root = tmp_path / "tree"
    tree = made({"data": b"some text, again and again\n" * 20_000, "noise": os.urandom(300_000)}, root)
    packed = subprocess.run(
        ["xz", "-q", "-c", *flags], input=packed_by_gnu_tar("gnu", root), capture_output=True, check=True
    ).stdout
    unpacks_to(packed, "tar.xz", tree, tmp_path / "slot")


def seeds() -> list[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "tree"
        made({"bin/agent": b"code" * 50, "lib/é" * 20: b"x" * 700, "empty": b""}, root)
        shutil.make_archive(str(Path(scratch) / "tree"), "zip", root)
        return [
            ("zip", (Path(scratch) / "tree.zip").read_bytes()),
            ("tar.gz", packed_by_gnu_tar("posix", root)),
            ("tar.zst", packed_by_gnu_tar("gnu", root)),
        ]


SEEDS = seeds()
CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), max_size=6)


@given(seed=st.sampled_from(SEEDS), changes=CHANGES, cut=st.floats(0.5, 1))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_archive_stays_inside_and_raises_nothing_foreign(
    seed: tuple[str, bytes], changes: list[tuple[float, bytes]], cut: float
) -> None:
    form, whole = seed
    data = bytearray(whole)
    for share, change in changes:
        at = int(share * len(data))
        data[at : at + len(change)] = change
    mutated = bytes(data[: int(len(data) * cut) + 1])
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        with suppress(PawldError):
            unpacked(mutated if form == "zip" else PACKERS[form](mutated), form, home / "slot", Limits(bytes=10**6))
        assert sorted(path.name for path in home.iterdir()) == ["slot"]
        assert [path.name for path in Path(scratch).iterdir()] == ["home"]


@given(data=st.binary(max_size=3000), form=st.sampled_from([*sorted(PACKERS), "zip"]))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused(data: bytes, form: str) -> None:
    with tempfile.TemporaryDirectory() as scratch, pytest.raises(PawldError):
        unpacked(data, form, Path(scratch) / "slot")
