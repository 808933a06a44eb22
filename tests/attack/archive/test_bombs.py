"""Archives that would fill memory, disk or time: each is stopped early, and memory stays below 60 MB."""

import gzip
import io
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from support.archives import END, PACKERS, ZipMember, header, member, pax, unpacked, zipped

from pawld.errors import RejectedError
from pawld.install.archive import Limits
from pawld.model import Unpacked
from pawld.reasons import Reason

Refused = Callable[..., str]
MiB = 1024 * 1024


def size_of(name: str, below: Path) -> int:
    return sum(path.stat().st_size for path in below.rglob(name))


@pytest.mark.parametrize("form", ["tar.gz", "tar.zst", "tar.xz"])
def test_a_ratio_bomb_is_stopped_early(refused: Refused, form: str, tmp_path: Path) -> None:
    bomb = header("bomb", size=64 * MiB) + bytes(64 * MiB) + END
    packed = PACKERS[form](bomb)
    assert "as a bomb does" in refused(packed, form, packed=True)
    assert size_of("bomb", tmp_path) <= max(200 * len(packed), 2 * MiB)


def test_a_ratio_bomb_in_a_zip_is_stopped_before_a_byte_is_written(refused: Refused, tmp_path: Path) -> None:
    assert "unfolds" in refused(zipped([ZipMember(b"bomb", bytes(64 * MiB))]), "zip")
    assert size_of("bomb", tmp_path) == 0


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_a_million_empty_files_stop_at_the_cap(refused: Refused, form: str) -> None:
    few = Limits(files=500, ratio=None)
    names = [f"f{number}" for number in range(600)]
    if form == "zip":
        data = zipped([ZipMember(name.encode(), method=0) for name in names])
    else:
        data = b"".join(header(name) for name in names) + END
    assert "more than 500 files" in refused(data, form, few)


@pytest.mark.parametrize("form", ["tar.gz", "zip"])
def test_a_million_directories_stop_at_the_cap(refused: Refused, form: str) -> None:
    few = Limits(others=500, ratio=None)
    names = [f"d{number}/" for number in range(600)]
    if form == "zip":
        data = zipped([ZipMember(name.encode(), mode=0o40755, method=0) for name in names])
    else:
        data = b"".join(header(name, kind=b"5") for name in names) + END
    assert "more than 500 members" in refused(data, form, few)


def test_directories_that_only_names_speak_of_count_too(refused: Refused) -> None:
    data = b"".join(header(f"{'/'.join(f'd{n}' for n in range(depth))}/f{depth}") for depth in range(1, 20)) + END
    assert "more than 10 members" in refused(data, limits=Limits(others=10, ratio=None))


def test_extension_headers_without_end_stop_at_the_cap(refused: Refused) -> None:
    data = b"".join(pax([("comment", "x")], kind=b"g") for _ in range(600)) + END
    assert "more than 500 members" in refused(data, limits=Limits(others=500, ratio=None))


def test_more_bytes_than_stated_are_refused_before_they_are_written(refused: Refused, tmp_path: Path) -> None:
    limits = Limits.of(Unpacked(bytes=10, files=2))
    assert "more than 10 bytes" in refused(member("a", b"12345") + member("b", b"123456") + END, limits=limits)
    assert not list(tmp_path.rglob("b"))


@pytest.mark.parametrize("stated", [Unpacked(11, 2), Unpacked(10, 3)])
def test_less_than_stated_is_refused_too(refused: Refused, stated: Unpacked) -> None:
    data = member("a", b"12345") + member("b", b"12345") + END
    assert "the signed record states" in refused(data, limits=Limits.of(stated))


def test_a_zstd_window_beyond_the_limit_is_refused(refused: Refused) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    data = packer.compress(member("a", bytes(9 * MiB)) + END) + packer.flush()
    assert "zstd stream is broken" in refused(data, "tar.zst", Limits(ratio=None), packed=True)


def test_an_xz_dictionary_beyond_the_limit_is_refused(refused: Refused) -> None:
    data = lzma.compress(member("a", b"x") + END, preset=9)
    assert "xz stream is broken" in refused(data, "tar.xz", packed=True)


BOMB = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support.archives import Untold
from pawld.errors import RejectedError
from pawld.install.archive import Limits, unpack
from pawld.model import Unpacked
def limits(stated): return Limits.of(Unpacked(*stated)) if stated else Limits()
form, stated = json.loads(sys.argv[3])
try:
    with open(sys.argv[4], "rb") as file:
        unpack(file, form, Path(sys.argv[1]), limits(stated), Untold())
    word = "unpacked"
except RejectedError as error:
    word = error.message
status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent before the exec
print(json.dumps([word, int(status.split("VmHWM:")[1].split()[0]) // 1024]))
"""

LARGE = 200 * MiB


def unpacked_in_a_child(archive: Path, slot: Path, form: str, stated: list[int] | None) -> tuple[str, int]:
    """Unpack in a process of its own; return how it ended, and the peak of its memory in MB."""
    arguments = [str(slot), str(Path(__file__).parents[2]), json.dumps([form, stated]), str(archive)]
    bare = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-c", BOMB, *arguments]
    ran = subprocess.run(command, capture_output=True, check=True, text=True, env=bare)
    word, peak = json.loads(ran.stdout)
    return word, peak


def packed_zeros(form: str) -> bytes:
    head, block = header("zeros", size=LARGE), bytes(MiB)
    parts = [head, *[block] * (LARGE // MiB), END]
    if form == "tar.gz":
        out = io.BytesIO()
        with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as file:
            file.writelines(parts)
        return out.getvalue()
    packer = lzma.LZMACompressor(preset=0) if form == "tar.xz" else zstandard.ZstdCompressor().compressobj()
    return b"".join([packer.compress(part) for part in parts]) + packer.flush()


@pytest.mark.parametrize("form", ["tar.gz", "tar.zst", "tar.xz"])
def test_a_large_build_takes_little_memory(tmp_path: Path, form: str) -> None:
    """The same bytes as a bomb, but stated by the record: they are written, in constant memory."""
    archive, slot = tmp_path / "archive", tmp_path / "slot"
    archive.write_bytes(packed_zeros(form))
    slot.mkdir(mode=0o700)

    word, peak = unpacked_in_a_child(archive, slot, form, [LARGE, 1])

    assert word == "unpacked"
    assert peak < 60, f"{peak} MB"
    (slot / "zeros").unlink()


def test_names_at_the_default_cap_take_little_memory(tmp_path: Path) -> None:
    archive, slot = tmp_path / "archive", tmp_path / "slot"
    with gzip.open(archive, "wb", compresslevel=1) as file:
        for number in range(70_000):
            file.write(header(f"lib/some/package/with-a-name/module-{number:06}.js"))
        file.write(END)
    slot.mkdir(mode=0o700)

    word, peak = unpacked_in_a_child(archive, slot, "tar.gz", None)

    assert "more than 65536 files" in word
    assert peak < 60, f"{peak} MB"


def test_the_reason_of_a_bomb_blocks_the_build(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        unpacked(gzip.compress(header("bomb", size=9 * MiB) + bytes(9 * MiB)), "tar.gz", tmp_path / "slot")
    assert caught.value.reason is Reason.ARCHIVE_REFUSED
