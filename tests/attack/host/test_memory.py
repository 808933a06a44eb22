"""What a whole `pawld update` takes: its peak of memory, measured in the process itself, for builds of any size."""

import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import zstandard
from support.besieged import Besieged, besieged
from support.raw_server import Asked, Wire
from support.tuf_repository import custom
from tuf.api.metadata import TargetFile

from pawld.demo.program import Release
from pawld.formats.metadata import MOST_METADATA
from pawld.publish.measure import MiB, chunk_size, chunks_of
from pawld.reasons import Reason
from pawld.trust.tuf_fetcher import MOST_VALUES

LIMIT = 60  # MB
PEAK = """
import atexit
from pathlib import Path
from pawld.cli.main import script
def peak():
    status = Path("/proc/self/status").read_text()  # ru_maxrss would count the parent before the exec
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
atexit.register(peak)
script()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Besieged]:
    (tmp_path / "home").mkdir()
    with besieged(tmp_path / "home") as made:
        made.be_patient()
        yield made


def grown(agent: bytes, megabytes: int, into: Path) -> None:
    """Write the agent's archive again, with so much beside it that does not compress."""
    noise = random.Random(1).randbytes(MiB)
    with into.open("wb") as file, zstandard.ZstdCompressor(level=1).stream_writer(file) as packer:
        reader = zstandard.ZstdDecompressor().stream_reader(agent)
        with tarfile.open(fileobj=packer, mode="w|") as archive, tarfile.open(fileobj=reader, mode="r|") as old:
            for one in old:
                archive.addfile(one, old.extractfile(one))
            for number in range(megabytes // 50):
                info = tarfile.TarInfo(f"share/ballast-{number}")
                info.size = 50 * MiB
                archive.addfile(info, Noise(noise, number))  # type: ignore[arg-type]  # it is read only


def crowded(agent: bytes, files: int, into: Path) -> None:
    """Write the agent's archive again, with so many small files beside it, in the window that zstd -19 takes."""
    noise = random.Random(1).randbytes(MiB)
    strong = zstandard.ZstdCompressionParameters.from_level(1, window_log=23)
    with into.open("wb") as file, zstandard.ZstdCompressor(compression_params=strong).stream_writer(file) as packer:
        reader = zstandard.ZstdDecompressor().stream_reader(agent)
        with tarfile.open(fileobj=packer, mode="w|") as archive, tarfile.open(fileobj=reader, mode="r|") as old:
            for one in old:
                archive.addfile(one, old.extractfile(one))
            for number in range(files):
                info = tarfile.TarInfo(f"share/library-{number % 100}/a-module-of-some-package-{number}.py")
                info.size = 4096
                archive.addfile(info, io.BytesIO(noise[number : number + 4096]))


class Noise:
    """Fifty megabytes that differ, and cost nothing to make."""

    def __init__(self, noise: bytes, number: int) -> None:
        self._noise = noise
        self._turn = number * 50

    def read(self, size: int) -> bytes:
        self._turn += 1
        at = self._turn * 4099 % MiB
        return (self._noise * -(-(size + at) // MiB))[at : at + size]


def sign(host: Besieged, version: str, path: Path, *, chunked: bool) -> None:
    """Sign the file as *version* and ship it."""
    length = path.stat().st_size
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    host.sequence += 1
    record = custom(version, host.sequence, platform=host.platform.os, arch=host.platform.arch)
    record["filename"] = f"acme-{version}.tar.zst"
    sizes = sizes_in(path)
    record["unpacked"] = {"bytes": sum(sizes), "files": len(sizes)}
    chunks = chunks_of(path, length) if chunked else None
    if chunks is not None:
        record["chunks"] = {"size": chunk_size(length), "sha256": list(chunks.sha256)}
    target = TargetFile(length, {"sha256": sha256}, host.target, {"custom": record})
    host.repository.targets.targets[host.target] = target
    host.repository.publish()
    host.vendor.publish(version, f"acme-{version}.tar.zst", b"")
    host.content = lambda _, wire: stream(wire, path.open("rb"), length)


def sizes_in(path: Path) -> list[int]:
    with (
        path.open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file) as reader,
        tarfile.open(fileobj=reader, mode="r|") as archive,
    ):
        return [one.size for one in archive]


def stream(wire: Wire, file: BinaryIO, length: int) -> None:
    with file:
        wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
        while block := file.read(MiB):
            wire.send(block)


def updated(host: Besieged) -> tuple[int, int]:
    """Run ``pawld update`` in a process of its own; return its exit code and the peak of its memory in MB."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-c", PEAK, "--config", str(host.home / "pawld.toml"), "update"]
    ran = subprocess.run(command, env=bare, capture_output=True, text=True, timeout=600, check=False)
    return ran.returncode, int(ran.stdout.split()[-1])


SIZES = [200, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(600)])]


@pytest.mark.parametrize("megabytes", SIZES)
@pytest.mark.parametrize("chunked", [True, False], ids=["chunks", "whole"])
def test_an_update_takes_little_memory_whatever_the_build_weighs(
    megabytes: int, chunked: bool, host: Besieged, tmp_path: Path
) -> None:
    build = tmp_path / "build"
    grown(Release("2.0.0").packed(b"ballast"), megabytes, build)
    sign(host, "2.0.0", build, chunked=chunked)

    code, peak = updated(host)

    assert code == 0
    assert host.answer == "acme-agent 2.0.0"
    assert peak < LIMIT, f"{peak} MB"


def test_thousands_of_files_in_a_large_window_take_no_more(host: Besieged, tmp_path: Path) -> None:
    build = tmp_path / "build"
    crowded(Release("2.0.0").packed(b"ballast"), 5000, build)
    sign(host, "2.0.0", build, chunked=True)

    code, peak = updated(host)

    assert code == 0
    assert host.answer == "acme-agent 2.0.0"
    assert peak < LIMIT, f"{peak} MB"


@pytest.mark.long
@pytest.mark.timeout(300)
def test_each_file_of_a_build_takes_a_third_of_a_kilobyte(host: Besieged, tmp_path: Path) -> None:
    peaks = []
    for version, files in (("2.0.0", 5000), ("3.0.0", 55_000)):
        crowded(Release(version).packed(b"ballast"), files, tmp_path / version)
        sign(host, version, tmp_path / version, chunked=True)
        code, peak = updated(host)
        assert (code, host.answer) == (0, f"acme-agent {version}")
        peaks.append(peak)

    assert peaks[1] - peaks[0] < 50_000 / 3 / 1024, peaks


def endless(asked: Asked, wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        wire.send(bytes(MiB))


def flood(asked: Asked, wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000_000)


@pytest.mark.parametrize("attack", [endless, flood])
def test_an_attack_takes_no_more(attack: object, host: Besieged) -> None:
    host.offer("2.0.0")
    host.content = attack  # type: ignore[assignment]  # one of the two above

    code, peak = updated(host)

    assert code != 0
    assert host.answer == "acme-agent 1.0.0"
    assert peak < LIMIT, f"{peak} MB"


HEAVY = {
    "lists": b"[" + b"[]," * (MOST_VALUES - 100) + b"[]]",
    "one string": b'"' + b"a" * (MOST_METADATA - 1000) + b'"',
    "digests": b"[" + b",".join(b'"%064x"' % number for number in range(MOST_METADATA // 67 - 20)) + b"]",
    "wide": b'"\xf0\x9f\x98\x80' + b"a" * (MOST_METADATA // 8 - 1000) + b'"',
    "blanks": b" " * (MOST_METADATA - 1000) + b"1",
}


@pytest.mark.parametrize("path", ["timestamp.json", "2.root.json"])
def test_metadata_that_unfolds_in_memory_takes_no_more(path: str, host: Besieged) -> None:
    host.offer("2.0.0")
    host.repository.files[path] = b"[" + b"[]," * 400_000 + b"[]]"

    code, peak = updated(host)

    assert code == Reason.METADATA_UNTRUSTED.exit
    assert host.answer == "acme-agent 1.0.0"
    assert peak < LIMIT, f"{peak} MB"


RARELY = [pytest.param(kind, marks=pytest.mark.long) for kind in ("lists", "one string", "blanks")]


@pytest.mark.parametrize("kind", ["digests", "wide", *RARELY])
def test_metadata_as_heavy_as_is_read_at_all_takes_no_more(kind: str, host: Besieged) -> None:
    host.offer("2.0.0")
    repository = host.repository
    keyid, version = repository.signers["targets"][0].public_key.keyid.encode(), repository.targets.version
    head = b'{"signatures":[{"keyid":"%s","sig":"00"}],"signed":{"_type":"targets","spec_version":"1.0.31",' % keyid
    rest = b'"expires":"2099-01-01T00:00:00Z","version":%d,"targets":{},"x":%s}}' % (version, HEAVY[kind])
    repository.files[f"{version}.targets.json"] = head + rest

    code, peak = updated(host)

    assert code == Reason.METADATA_UNTRUSTED.exit
    assert host.answer == "acme-agent 1.0.0"
    assert peak < LIMIT, f"{peak} MB"
