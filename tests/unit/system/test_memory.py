import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawld.system.memory import let_go_of_mapped_files, resident

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

MAPPING = (
    "{span} {allowed} 00000000 fe:00 26723 {path}\nRss: 64 kB\nAnonymous: {copies} kB\nSwap: {swap} kB\nVmFlags: rd\n"
)


def mapping(
    *, span: str = "10000-30000", allowed: str = "r-xp", path: str = "/usr/lib/libx.so", copies: int = 0, swap: int = 0
) -> str:
    return MAPPING.format(span=span, allowed=allowed, path=path, copies=copies, swap=swap)


def let_go(tmp_path: Path, *mappings: str) -> list[tuple[int, int]]:
    maps = tmp_path / "smaps"
    maps.write_text("".join(mappings))
    asked: list[tuple[int, int]] = []
    let_go_of_mapped_files(maps, lambda start, length: asked.append((start, length)))
    return asked


@pytest.mark.parametrize("allowed", ["r-xp", "r--p"])
def test_code_and_constants_of_a_library_are_let_go(allowed: str, tmp_path: Path) -> None:
    assert let_go(tmp_path, mapping(allowed=allowed)) == [(0x10000, 0x20000)]


@pytest.mark.parametrize(
    "kept",
    [
        mapping(allowed="rw-p"),
        mapping(allowed="r--s"),
        mapping(allowed="---p"),
        mapping(copies=4),
        mapping(swap=4),
        mapping(path="[vdso]"),
        mapping(path=""),
        mapping(path="/memfd:code (deleted)"),
    ],
    ids=["writable", "shared", "guard", "changed by the loader", "changed and swapped", "kernel", "nameless", "gone"],
)
def test_what_exists_nowhere_else_is_kept(kept: str, tmp_path: Path) -> None:
    assert let_go(tmp_path, kept, mapping(span="50000-60000")) == [(0x50000, 0x10000)]


def test_without_a_list_everything_is_kept(tmp_path: Path) -> None:
    let_go_of_mapped_files(tmp_path / "missing", lambda *_: pytest.fail("nothing is known of what to let go"))


USED = """
import hashlib, os, sqlite3, ssl
from pawld.system.memory import let_go_of_mapped_files, resident
ssl.create_default_context()
before = resident(os.getpid())
let_go_of_mapped_files()
after = resident(os.getpid())
ssl.create_default_context()
assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf")
print(before - after)
"""


@linux
def test_a_process_holds_less_afterwards_and_works_on() -> None:
    ran = subprocess.run([sys.executable, "-c", USED], capture_output=True, text=True, timeout=60, check=True)
    assert int(ran.stdout) > 2_000_000


@linux
def test_another_process_can_be_asked_for() -> None:
    assert (resident(os.getpid()) or 0) > 1_000_000


def test_a_process_that_is_gone_holds_nothing_that_is_known(tmp_path: Path) -> None:
    assert resident(1, tmp_path) is None
