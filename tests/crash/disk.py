"""A real file system on a logged disk, and the images that a power cut may leave of it."""

import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crash.children import environment

HEADER = struct.Struct("<cQI")  # of a line of the log: kind, offset, length
WRITE, FLUSH, MARK = b"W", b"F", b"M"
MIB = 1024 * 1024
_MAKE = {
    "ext4": (24, ["mkfs.ext4", "-q", "-F", "-J", "size=4", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"]),
    "xfs": (320, ["mkfs.xfs", "-q", "-K", "-f"]),
    "btrfs": (120, ["mkfs.btrfs", "-q", "-K", "-f"]),
}
FLUSH_EVERY_SECOND = {"ext4": "commit=1", "xfs": "defaults", "btrfs": "commit=1"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log: a write of *data* at *offset*, a flush, or a mark."""

    kind: bytes
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PowerCutImage:
    """A disk as the next boot finds it: the writes that reached it, and whether the promise had been given."""

    how: str
    writes: tuple[Entry, ...]
    committed: bool


def make_image(kind: str, image: Path) -> None:
    """Make an empty file system of *kind* in the file *image*."""
    size, command = _MAKE[kind]
    with image.open("wb") as file:
        file.truncate(size * MIB)
    _run(*command, str(image))


@contextmanager
def mounted(source: Path | str, at: Path, options: str) -> Iterator[Path]:
    """Have *source* mounted at *at*."""
    at.mkdir(exist_ok=True)
    _run("mount", "-o", options, str(source), str(at))
    try:
        yield at
    finally:
        _run("umount", str(at))


@contextmanager
def logged(image: Path, work: Path) -> Iterator[str]:
    """Have a loop device on a copy of *image* whose writes go to ``work/log``; ``work/fuse/mark`` takes marks."""
    at = work / "fuse"
    at.mkdir()
    command = [sys.executable, "-m", "crash.block_log", str(at), str(image), str(work / "log")]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as server:
        try:
            _wait_for_mount(at, server)
            device = _run("losetup", "-f", "--show", str(at / "disk")).strip()
            try:
                yield device
            finally:
                _run("losetup", "-d", device)
        finally:
            subprocess.run(["fusermount3", "-u", str(at)], check=False, capture_output=True)
            server.terminate()
            server.communicate(timeout=20)


def read_log(log: Path) -> list[Entry]:
    """Return the log, line by line."""
    data, at, entries = log.read_bytes(), 0, []
    while at < len(data):
        kind, offset, length = HEADER.unpack_from(data, at)
        at += HEADER.size
        entries.append(Entry(kind, offset, data[at : at + length]))
        at += length
    return entries


def images(log: list[Entry], *, seed: int, subsets: int, every: int = 1) -> Iterator[PowerCutImage]:
    """Yield what may be on the platter between the marks ``start`` and ``end``.

    That is each prefix of the writes (or each *every*-th), and *subsets* random subsets of the writes since the last
    flush, as a disk may reorder what was not flushed.
    """
    chance = random.Random(seed)
    begin, end = _position(log, b"start"), _position(log, b"end")
    flushed = tuple(one for one in log[:begin] if one.kind == WRITE)
    pending: tuple[Entry, ...] = ()
    committed, count = False, 0
    yield PowerCutImage("before the first write", flushed, committed)
    for entry in log[begin + 1 : end]:
        if entry.kind == MARK:
            committed = True
            yield PowerCutImage("at the commit", flushed + pending, committed)
        elif entry.kind == WRITE:
            pending += (entry,)
            count += 1
            if count % every == 0:
                yield PowerCutImage(f"after write {count}", flushed + pending, committed)
        else:
            yield from _reordered(flushed, pending, committed, subsets, chance)
            flushed, pending = flushed + pending, ()
    yield from _reordered(flushed, pending, committed, subsets, chance)


def write_image(base: Path, image: PowerCutImage, to: Path) -> None:
    """Write *image*, which grew from *base*, to the file *to*."""
    shutil.copyfile(base, to) if base.stat().st_size < 64 * MIB else _run("cp", "--sparse=always", str(base), str(to))
    with to.open("r+b") as file:
        for entry in image.writes:
            file.seek(entry.offset)
            file.write(entry.data)


def _reordered(
    flushed: tuple[Entry, ...],
    pending: tuple[Entry, ...],
    committed: bool,
    subsets: int,
    chance: random.Random,
) -> Iterator[PowerCutImage]:
    if len(pending) < 2:
        return
    for number in range(subsets):
        some = tuple(one for one in pending if chance.random() < 0.5)
        yield PowerCutImage(f"subset {number} of {len(pending)} unflushed writes", flushed + some, committed)


def _position(log: list[Entry], mark: bytes) -> int:
    return next(at for at, one in enumerate(log) if one.kind == MARK and one.data == mark)


def _wait_for_mount(at: Path, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if at.is_mount():
            return
        assert server.poll() is None, server.communicate()[1].decode()
        time.sleep(0.05)
    raise AssertionError("the logged disk did not come up within 10 s")


def _run(*command: str) -> str:
    finished = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, f"{' '.join(command)}: {finished.stderr}"
    return finished.stdout
