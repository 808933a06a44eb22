"""A clone shares blocks where the file system can, and a copy is made where it cannot."""

from pathlib import Path

import pytest
from crash.disk import make_image, mounted
from support.patches import File, Pair, PatchHost, content_of, packed, program

from pawld.system.clone import clone


def test_a_file_system_that_cannot_share_says_so(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"content")
    with (tmp_path / "source").open("rb") as source, Path("/dev/null").open("wb") as target:
        assert clone(source.fileno(), target.fileno()) is False


@pytest.mark.rig("btrfs")
def test_what_did_not_change_shares_its_blocks_with_the_base(tmp_path: Path) -> None:
    pytest.importorskip("hdiffpatch")
    make_image("btrfs", tmp_path / "image")
    same = {"lib/same.so": File(program(1, 4_000_000)), "bin/acme": File(b"#!/bin/sh\n", 0o755)}
    pair = Pair(tmp_path / "pair", packed(same), packed(same | {"new": File(b"new")}))
    with mounted(tmp_path / "image", tmp_path / "mount", "loop") as place:
        host = PatchHost(place / "root", pair)
        slot = host.patched()
        with (slot.path / "lib/same.so").open("rb") as source, (place / "shared").open("wb") as target:
            assert clone(source.fileno(), target.fileno())
        assert (place / "shared").read_bytes() == same["lib/same.so"].data
        assert content_of(slot)["lib/same.so"] == (0o644, same["lib/same.so"].data)
        (slot.path / "lib/same.so").write_bytes(b"an agent writes into its own file")
        assert host.installer.intact(host.base)
    pair.close()
