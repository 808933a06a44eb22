"""Two builds, the patch between them, and a host that has the first one installed by pawld's own installer."""

import gzip
import hashlib
import io
import random
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from support.trusting import MemoryMarks, SetClock
from support.verified import LINUX, ProvenBytes, Quiet

from pawld.install.archive import Links
from pawld.install.directory import ArchiveContents
from pawld.install.file import ProgramContents
from pawld.install.pointer import LinkPointer
from pawld.install.slots import SlotInstaller
from pawld.model import Patch, Record, Slot, Unpacked
from pawld.ports import Downloaded, VerifiedPatch
from pawld.publish.contents import tree_of
from pawld.publish.patching.make import make_patch
from pawld.publish.patching.streams import Archived
from pawld.system.clock import SystemClock
from pawld.system.walls import Walls
from pawld.trust.policy import Policy

ENGINE = "hdiffpatch"
KB = 1000


@dataclass(frozen=True)
class File:
    """A member of an archive: content, or a link's target."""

    data: bytes = b""
    mode: int = 0o644
    target: str | None = None


def program(seed: int, size: int = 300 * KB) -> bytes:
    """Bytes that no compressor makes smaller, under a shell's first line, so that no platform is expected of it."""
    return b"#!/bin/sh\n" + random.Random(seed).randbytes(size)


def edited(data: bytes, seed: int, edits: int = 20) -> bytes:
    """The same bytes with a few of them changed, some taken out and some put in."""
    chance, out = random.Random(seed), bytearray(data)
    for _ in range(edits):
        place = chance.randrange(100, len(out) - 100)
        out[place : place + chance.randrange(8)] = chance.randbytes(chance.randrange(8))
    return bytes(out)


def packed(files: dict[str, File], folders: Sequence[str] = ()) -> bytes:
    """A tar.gz of these files and empty folders."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in folders:
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        for name, one in files.items():
            member = tarfile.TarInfo(name)
            member.mode, member.size = one.mode, len(one.data)
            if one.target is not None:
                member.type, member.linkname = tarfile.SYMTYPE, one.target
            archive.addfile(member, io.BytesIO(one.data))
    return gzip.compress(out.getvalue(), 1, mtime=0)


class Pair:
    """The record of a new build and of an old one, and the patch between them as a publisher makes it."""

    def __init__(self, home: Path, old: bytes, new: bytes, form: str = "tar.gz") -> None:
        home.mkdir(parents=True)
        self.home = home
        self.files: list[BinaryIO] = []
        self.old, self.new = old, new
        sides = [Archived(home / name, f"acme-{name}.{form}", form) for name in ("1.0.0", "1.1.0")]
        for side, data in zip(sides, (old, new), strict=True):
            side.path.write_bytes(data)
        self.before, after = (_record(side, number) for number, side in enumerate(sides, 1))
        (home / "work").mkdir()
        with (home / "patch").open("xb") as file:
            make_patch(*sides, home / "work", file)
        self.bytes = (home / "patch").read_bytes()
        self.record = replace(after, patches=(self.described(self.bytes),))

    def described(self, data: bytes) -> Patch:
        sha256 = hashlib.sha256(data).hexdigest()
        return Patch(self.before.sha256, f"sha256/{sha256}", ENGINE, len(data), sha256)

    def proven(self, data: bytes | None = None, record: Record | None = None) -> VerifiedPatch:
        """The patch as the policy proves it; other *data* is signed for, as by a publisher who was deceived."""
        record = record or self.record
        if data is not None:
            record = replace(record, patches=(self.described(data),))
        data = self.bytes if data is None else data
        self.close()
        downloaded = _spooled(self.home, data)
        self.files = [downloaded.file]
        return policy().prove_patch(record, record.patches[0], downloaded)

    def prove_as_signed(self) -> VerifiedPatch:
        """Prove what lies in the download's place as the patch that the record names."""
        path = self.home / "patch.unverified"
        with path.open("rb") as file:
            return policy().prove_patch(self.record, self.record.patches[0], Downloaded(file, path, "nowhere"))

    def close(self) -> None:
        """Let go of every patch that was proven."""
        for file in self.files:
            file.close()


class PatchHost:
    """A root with the old build of a pair installed and current."""

    def __init__(self, root: Path, pair: Pair, *, links: Links = Links.REFUSED, walls: Walls | None = None) -> None:
        self.root, self.pair = root, pair
        single = pair.record.format == "file"
        tree = ArchiveContents(LINUX, links=links, walls=walls)
        contents = ProgramContents(LINUX, name="bin/acme", walls=walls) if single else tree
        self.installer = SlotInstaller(root, contents, LinkPointer(root), SystemClock())
        self.base = self.installer.stage(ProvenBytes(pair.before, pair.old), Quiet())
        self.installer.activate(self.base)

    def patched(self, data: bytes | None = None, record: Record | None = None) -> Slot:
        return self.installer.stage_patched(self.pair.proven(data, record), self.base, Quiet())

    def whole(self) -> Slot:
        return self.installer.stage(ProvenBytes(self.pair.record, self.pair.new), Quiet())

    def forget(self, slot: Slot) -> None:
        """Remove a slot, as if it had never been made."""
        shutil.rmtree(slot.path)

    def left_behind(self) -> list[str]:
        """Everything in ``versions`` but the base."""
        return sorted(one.name for one in (self.root / "versions").iterdir() if one.name != self.base.name)


def policy(**options: object) -> Policy:
    """A policy that is asked for no record."""
    return Policy([None], MemoryMarks(), SetClock(), "acme", **options)  # type: ignore[list-item, arg-type]  # no engine


def content_of(slot: Slot) -> dict[str, tuple[int, bytes | str]]:
    """Every file of the slot but its manifest: mode and bytes, or where a link leads."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in slot.path.rglob("*"):
        name = path.relative_to(slot.path).as_posix()
        if path.is_symlink():
            found[name] = (0, str(path.readlink()))
        elif path.is_dir():
            found[name] = (0, b"a directory")
        elif name != ".pawld-slot.json":
            found[name] = (path.stat().st_mode & 0o7777, path.read_bytes())
    return found


def _spooled(home: Path, data: bytes) -> Downloaded:
    path = home / "patch.unverified"
    path.write_bytes(data)
    return Downloaded(path.open("rb"), path, "https://downloads.example")


def _record(build: Archived, sequence: int) -> Record:
    data = build.path.read_bytes()
    tree = None if build.format == "file" else tree_of(build.path, build.name, build.format)
    return Record(
        product="acme",
        channel="stable",
        platform=LINUX,
        version=build.path.name,
        sequence=sequence,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        filename=build.name,
        format=build.format,
        unpacked=tree.unpacked if tree else Unpacked(len(data), 1),
        entrypoint="bin/acme",
        tree_sha256=tree.sha256 if tree else None,
    )
