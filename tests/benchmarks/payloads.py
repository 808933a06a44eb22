"""The payloads: a tree of about 300 MB and a program of about 25 MB, both out of real wheels from PyPI.

They are made once and kept; each run uses the same bytes.
"""

import hashlib
import subprocess
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

TREE = (
    "scipy==1.17.1",
    "numpy==2.4.6",
    "pandas==3.1.1",
    "scikit-learn==1.9.1",
    "matplotlib==3.11.2",
    "sympy==1.14.0",
    "botocore==1.44.5",
)
PROGRAM = "ruff==0.17.6"
VERSION = "1.0.0"
_MACHINE = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64")


@dataclass(frozen=True)
class Payloads:
    """Paths below one directory."""

    home: Path

    @property
    def tree(self) -> Path:
        return self.home / "tree"

    @property
    def zst(self) -> Path:
        return self.home / f"tree-{VERSION}-linux-x86_64.tar.zst"

    @property
    def gz(self) -> Path:
        return self.home / f"tree-{VERSION}-linux-x86_64.tar.gz"

    @property
    def program(self) -> Path:
        return self.home / f"program-{VERSION}-linux-x86_64"

    @property
    def wheels(self) -> Path:
        return self.home / "wheels"

    @cached_property
    def facts(self) -> dict[str, int]:
        """Return counts and lengths for the report."""
        files = [path for path in self.tree.rglob("*") if path.is_file()]
        return {
            "tree_files": len(files),
            "tree_bytes": sum(path.stat().st_size for path in files),
            "tar_zst_bytes": self.zst.stat().st_size,
            "tar_gz_bytes": self.gz.stat().st_size,
            "program_bytes": self.program.stat().st_size,
        }


def made(home: Path, pip: Path) -> Payloads:
    """Return the payloads in *home*, making what is missing; *pip* fetches the wheels."""
    payloads = Payloads(home)
    if not payloads.program.exists():
        _fetch(pip, payloads.wheels)
        _unpack(payloads)
        _pack(payloads)
        with zipfile.ZipFile(next(payloads.wheels.glob("ruff-*"))) as wheel:
            name = next(one for one in wheel.namelist() if one.endswith("/scripts/ruff"))
            payloads.program.write_bytes(wheel.read(name))
        payloads.program.chmod(0o755)
    return payloads


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(pip: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    command = [str(pip), "download", "--quiet", "--no-deps", "--only-binary", ":all:", *_MACHINE]
    subprocess.run([*command, "--dest", str(into), *TREE, PROGRAM], check=True)


def _unpack(payloads: Payloads) -> None:
    payloads.tree.mkdir(exist_ok=True)
    for path in sorted(payloads.wheels.glob("*.whl")):
        if not path.name.startswith("ruff-"):
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(payloads.tree)


def _pack(payloads: Payloads) -> None:
    """One plain tar, compressed twice; both as a release engineer would do it."""
    tar = payloads.home / "tree.tar"
    order = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=2026-01-01"]
    subprocess.run(["tar", "-cf", str(tar), *order, "-C", str(payloads.tree), "."], check=True)
    subprocess.run(["zstd", "-q", "-f", "-T0", "-12", str(tar), "-o", str(payloads.zst)], check=True)
    with payloads.gz.open("wb") as file:
        subprocess.run(["gzip", "-n", "-6", "-c", str(tar)], stdout=file, check=True)
    tar.unlink()
