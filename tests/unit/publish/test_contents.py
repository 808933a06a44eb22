"""What an archive unpacks to is measured right, and what no host would take is refused at the publisher's."""

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from support.publishing import tar

from pawld.errors import RejectedError
from pawld.model import Unpacked
from pawld.publish.contents import tree_of
from pawld.reasons import Reason

FILES = {"./bin/acme": b"x" * 1000, "share/readme": b"y" * 24}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def frames(data: bytes) -> bytes:
    """Two zstd frames, one after the other, as pzstd writes them."""
    return zstandard.compress(data[:700]) + zstandard.compress(data[700:])


MAKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "tar.gz": lambda files: gzip.compress(tar(files, "w")),
    "tar.xz": lambda files: lzma.compress(tar(files, "w")),
    "tar.zst": lambda files: frames(tar(files, "w")),
    "zip": zipped,
}


def measured(tmp_path: Path, data: bytes, format_: str, entrypoint: str | None = "bin/acme") -> Unpacked:
    path = tmp_path / "build"
    path.write_bytes(data)
    return tree_of(path, f"acme.{format_}", format_, entrypoint).unpacked


@pytest.mark.parametrize("format_", MAKERS)
def test_bytes_and_files_are_counted(tmp_path: Path, format_: str) -> None:
    assert measured(tmp_path, MAKERS[format_](FILES), format_) == Unpacked(1024, 2)


@pytest.mark.parametrize("format_", MAKERS)
def test_a_missing_entry_point_is_refused(tmp_path: Path, format_: str) -> None:
    with pytest.raises(RejectedError, match="entry point") as caught:
        measured(tmp_path, MAKERS[format_](FILES), format_, "bin/other")
    assert caught.value.reason is Reason.ARCHIVE_REFUSED


@pytest.mark.parametrize("format_", MAKERS)
@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a\\x", "C:/x"])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, format_: str, name: str) -> None:
    with pytest.raises(RejectedError) as caught:
        measured(tmp_path, MAKERS[format_]({"bin/acme": b"", name: b""}), format_)
    assert caught.value.reason is Reason.ARCHIVE_REFUSED


@pytest.mark.parametrize("format_", MAKERS)
def test_a_cut_or_empty_archive_is_refused(tmp_path: Path, format_: str) -> None:
    whole = MAKERS[format_]({"bin/acme": bytes(range(256)) * 64})
    for data in (whole[: len(whole) // 2], b"nonsense", MAKERS[format_]({})):
        with pytest.raises(RejectedError) as caught:
            measured(tmp_path, data, format_)
        assert caught.value.reason is Reason.ARCHIVE_REFUSED


def test_a_device_is_refused_and_a_symlink_is_no_file(tmp_path: Path) -> None:
    def made(kind: bytes) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("bin/acme"))
            odd = tarfile.TarInfo("odd")
            odd.type, odd.linkname = kind, "bin/acme"
            archive.addfile(odd)
        return gzip.compress(out.getvalue())

    assert measured(tmp_path, made(tarfile.SYMTYPE), "tar.gz") == Unpacked(0, 1)
    for kind in (tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE):
        with pytest.raises(RejectedError) as caught:
            measured(tmp_path, made(kind), "tar.gz")
        assert caught.value.reason is Reason.ARCHIVE_REFUSED
