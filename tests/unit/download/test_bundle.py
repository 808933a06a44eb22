"""A bundle is carried by hand and unsigned: what is not there is told, and what no bundle holds is refused."""

import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from pawld.download.bundle import open_bundle
from pawld.errors import OperatorError, RejectedError
from pawld.reasons import Reason


@pytest.mark.parametrize("name", ["mistyped.bundle", "."])
def test_a_bundle_that_is_not_there_is_told_by_its_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="There is no bundle ") as caught:
        open_bundle(tmp_path / name)
    assert caught.value.reason is Reason.USAGE


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as bundle:
        for member, data in members:
            member.size = len(data)
            bundle.addfile(member, io.BytesIO(data))
    return path


def plain(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), b"{}"


def of_kind(kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo("metadata/1.root.json")
    member.type, member.linkname = kind, "metadata/2.root.json"
    return member, b""


def with_headers(**headers: str) -> tuple[tarfile.TarInfo, bytes]:
    member, data = plain("metadata/1.root.json")
    member.pax_headers = headers
    return member, data


STATEMENT = (
    tarfile.TarInfo("pawld-bundle.json"),
    b'{"schema": 1, "product": "acme", "channel": "stable", "platform": "linux-x86_64"}',
)


def test_members_are_found_by_the_names_that_need_an_extension_header_too(tmp_path: Path) -> None:
    long = f"targets/acme-agent-of-some-length/stable/{'0' * 64}.linux-x86_64"
    assert len(long) > 100
    bundle = open_bundle(tar_of(tmp_path / "b.tar", STATEMENT, plain(long), plain("metadata/1.root.json")))
    assert b"".join(bundle.blocks(long)) == b"{}"
    assert bundle.size("metadata/1.root.json") == 2
    assert bundle.size("metadata/2.root.json") is None


@pytest.mark.parametrize(
    "members",
    [
        [of_kind(tarfile.SYMTYPE)],
        [of_kind(tarfile.LNKTYPE)],
        [of_kind(tarfile.CHRTYPE)],
        [of_kind(tarfile.FIFOTYPE)],
        [of_kind(tarfile.DIRTYPE)],
        [of_kind(tarfile.GNUTYPE_SPARSE)],
        [plain("metadata/1.root.json"), plain("metadata/1.root.json")],
        [plain("metadata/../../etc/passwd")],
        [plain("/etc/passwd")],
        [with_headers(comment="x" * 2000)],
        [with_headers(**{"GNU.sparse.major": "1"})],
        [with_headers(size="99999999999")],
        [with_headers(path="metadata/2\x00.root.json")],
        [plain(f"metadata/{number}.root.json") for number in range(10_001)],
    ],
    ids=[
        *("link", "hard link", "device", "fifo", "directory", "sparse", "twice", "outside", "absolute"),
        *("a long header", "sparse by header", "another size", "a name with NUL", "too many"),
    ],
)
def test_what_no_bundle_holds_is_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    path = tar_of(tmp_path / "b.tar", STATEMENT, *members)
    with pytest.raises(RejectedError) as caught:
        open_bundle(path)
    assert caught.value.reason is Reason.ARCHIVE_REFUSED
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_a_header_of_any_length_costs_no_memory(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("long")
    header.type, header.size = kind, 1 << 32
    path = tmp_path / "b.tar"
    path.write_bytes(header.tobuf(tarfile.USTAR_FORMAT))
    os.truncate(path, header.size + 10_240)  # of holes
    tracemalloc.start()
    try:
        with pytest.raises(RejectedError) as caught:
            open_bundle(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.reason is Reason.ARCHIVE_REFUSED


@pytest.mark.parametrize("length", [0, 100, 512, 600, 1024])
def test_one_that_is_cut_is_refused(tmp_path: Path, length: int) -> None:
    path = tar_of(tmp_path / "b.tar", STATEMENT, plain("metadata/1.root.json"))
    os.truncate(path, length)
    with pytest.raises(RejectedError) as caught:
        open_bundle(path)
    assert caught.value.reason is Reason.ARCHIVE_REFUSED
