"""Slots as tests make them: a small agent in an archive, and an installer below a temporary root."""

import gzip
import io
import tarfile
from collections.abc import Collection
from pathlib import Path

from support.verified import LINUX, ProvenBytes, build

from pawld.install.contents import Contents
from pawld.install.directory import ArchiveContents
from pawld.install.pointer import LinkPointer, Pointer
from pawld.install.slots import SlotInstaller
from pawld.system.clock import SystemClock

FILES = {"bin/acme": b"#!/bin/sh\necho 1.0.0\n", "share/words.txt": b"words\n"}


def tar_gz(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755 if "bin/" in name else 0o644
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return gzip.compress(held.getvalue(), mtime=0)


def archive(version: str = "1.0.0", sequence: int = 1, **options: object) -> ProvenBytes:
    files = FILES | {"version": version.encode()}
    return build(tar_gz(files), version, sequence=sequence, form="tar.gz", entrypoint="bin/acme", **options)  # type: ignore[arg-type]


def an_installer(
    root: Path,
    *,
    contents: Contents | None = None,
    pointer: Pointer | None = None,
    keep: int = 1,
    qualify: tuple[str, ...] = (),
    running: Collection[Path] = (),
) -> SlotInstaller:
    return SlotInstaller(
        root,
        contents or ArchiveContents(LINUX),
        pointer or LinkPointer(root),
        SystemClock(),
        keep=keep,
        qualify=qualify,
        running=lambda among: set(among) & set(running),
    )


def names(directory: Path) -> list[str]:
    return sorted(one.name for one in directory.iterdir())
