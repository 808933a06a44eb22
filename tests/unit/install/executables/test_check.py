"""Builds for another system, CPU or libc are refused before anything of them is run."""

from pathlib import Path

import pytest
from support.programs import elf, macho, pe, universal

from pawld.errors import RejectedError, TransientError
from pawld.formats.slot_manifest import FileEntry
from pawld.install.executables import check_executables
from pawld.model import Platform
from pawld.reasons import Reason

GNU = b"/lib64/ld-linux-x86-64.so.2"
MUSL = b"/lib/ld-musl-x86_64.so.1"
X86_64 = elf(62, loader=GNU)
ARM64 = elf(183, loader=b"/lib/ld-linux-aarch64.so.1")
X86 = elf(3, bits=32, loader=b"/lib/ld-linux.so.2")


def checked(slot: Path, platform: str, entrypoint: str | None, files: dict[str, bytes], *, mode: int = 0o755) -> None:
    """Lay *files* into *slot* and check them for *platform*."""
    entries = []
    for name, content in files.items():
        (slot / name).parent.mkdir(parents=True, exist_ok=True)
        (slot / name).write_bytes(content)
        entries.append(FileEntry(name, len(content), mode, ""))
    check_executables(slot, entries, entrypoint, Platform.parse(platform))


RUNNABLE = {
    "glibc on glibc": ("linux-x86_64", X86_64),
    "musl on musl": ("linux-x86_64-musl", elf(62, loader=MUSL)),
    "static on glibc": ("linux-x86_64", elf(62)),
    "static on musl": ("linux-x86_64-musl", elf(62)),
    "32-bit ARM": ("linux-armv7", elf(40, bits=32, loader=b"/lib/ld-linux-armhf.so.3")),
    "Windows": ("windows-x86_64", pe(0x8664)),
    "managed on ARM64": ("windows-arm64", pe(0x14C, managed=True)),
    "macOS": ("macos-arm64", macho(0x0100000C)),
    "universal": ("macos-arm64", universal(0x01000007, 0x0100000C)),
    "a script": ("linux-x86_64", b"#!/bin/sh\nexit 0\n"),
}


@pytest.mark.parametrize(("platform", "program"), RUNNABLE.values(), ids=RUNNABLE.keys())
def test_a_native_entrypoint_passes(tmp_path: Path, platform: str, program: bytes) -> None:
    checked(tmp_path, platform, "bin/agent", {"bin/agent": program})


FOREIGN = {
    "another CPU": ("linux-x86_64", ARM64, "linux-arm64-gnu"),
    "32-bit x86 on x86-64": ("linux-x86_64", X86, "linux-x86-gnu"),
    "musl on glibc": ("linux-x86_64", elf(62, loader=MUSL), "linux-x86_64-musl"),
    "glibc on musl": ("linux-x86_64-musl", X86_64, "linux-x86_64-gnu"),
    "Windows on Linux": ("linux-x86_64", pe(0x8664), "windows-x86_64"),
    "Linux on Windows": ("windows-x86_64", X86_64, "linux-x86_64-gnu"),
    "Rosetta is for helpers": ("macos-arm64", macho(0x01000007), "macos-x86_64"),
    "universal without this CPU": ("macos-arm64", universal(0x01000007, 7), "macos-x86, macos-x86_64"),
}


@pytest.mark.parametrize(("platform", "program", "words"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_entrypoint_is_refused(tmp_path: Path, platform: str, program: bytes, words: str) -> None:
    with pytest.raises(RejectedError) as caught:
        checked(tmp_path, platform, "bin/agent", {"bin/agent": program})
    assert caught.value.reason is Reason.WRONG_EXECUTABLE
    assert caught.value.message == (
        f"The build's entrypoint 'bin/agent' is made for {words}, and this host is {platform}."
    )


@pytest.mark.parametrize(
    ("platform", "helper"),
    [
        ("linux-x86_64", X86),
        ("windows-x86_64", pe(0x14C)),
        ("windows-arm64", pe(0x8664)),
        ("macos-arm64", macho(0x01000007)),
        ("linux-x86_64", pe(0x8664)),
    ],
    ids=["32-bit x86", "WOW64", "x64 on ARM", "Rosetta", "another system's"],
)
def test_a_helper_beside_the_entrypoint_may_be_one_that_the_host_translates(
    tmp_path: Path, platform: str, helper: bytes
) -> None:
    checked(tmp_path, platform, "bin/agent", {"bin/agent": b"#!/bin/sh\n", "bin/own": own(platform), "bin/h": helper})


def own(platform: str) -> bytes:
    return {
        "linux-x86_64": X86_64,
        "windows-x86_64": pe(0x8664),
        "windows-arm64": pe(0xAA64),
        "macos-arm64": macho(0x0100000C),
    }[platform]


def test_a_foreign_helper_beside_the_entrypoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="'bin/helper' is made for linux-arm64-gnu"):
        checked(tmp_path, "linux-x86_64", "bin/agent", {"bin/agent": X86_64, "bin/helper": ARM64})


def test_a_foreign_library_beside_the_entrypoint_is_refused_without_any_executable_bit(tmp_path: Path) -> None:
    files = {"agent.exe": pe(0x8664), "engine.DLL": pe(0xAA64)}
    with pytest.raises(RejectedError, match=r"engine\.DLL"):
        checked(tmp_path, "windows-x86_64", "agent.exe", files, mode=0o644)


def test_foreign_programs_elsewhere_are_passengers(tmp_path: Path) -> None:
    files = {"bin/agent": X86_64, "node_modules/x/prebuilds/linux-arm64/x.node": ARM64, "py/cli-arm64.exe": pe(0xAA64)}
    checked(tmp_path, "linux-x86_64", "bin/agent", files)


@pytest.mark.parametrize("entrypoint", [None, "start.sh"])
def test_where_all_native_code_is_foreign_the_build_is_refused(tmp_path: Path, entrypoint: str | None) -> None:
    files = {"start.sh": b"#!/bin/sh\n", "lib/engine": ARM64, "lib/other": ARM64}
    with pytest.raises(RejectedError, match="program 'lib/engine' is made for linux-arm64-gnu"):
        checked(tmp_path, "linux-x86_64", entrypoint, files)


def test_a_build_without_native_code_runs_anywhere(tmp_path: Path) -> None:
    checked(tmp_path, "windows-arm64", "start.cmd", {"start.cmd": b"@echo off\r\n", "agent.jar": b"PK\x03\x04"})


def test_files_without_an_executable_bit_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/agent").write_bytes(X86_64)
    files = [FileEntry("bin/agent", 1, 0o755, ""), FileEntry("bin/missing", 1, 0o644, "")]
    check_executables(tmp_path, files, "bin/agent", Platform("linux", "x86_64"))


def test_a_missing_entrypoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="no file 'bin/agent'"):
        checked(tmp_path, "linux-x86_64", "bin/agent", {"bin/other": X86_64})


def test_an_entrypoint_that_may_not_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="not marked as executable"):
        checked(tmp_path, "linux-x86_64", "agent", {"agent": X86_64}, mode=0o644)


def test_an_entrypoint_that_is_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="neither a program"):
        checked(tmp_path, "linux-x86_64", "agent", {"agent": b"data"})


def test_a_slot_that_cannot_be_read_is_a_fault_of_the_host(tmp_path: Path) -> None:
    with pytest.raises(TransientError) as caught:
        check_executables(tmp_path, [FileEntry("agent", 1, 0o755, "")], "agent", Platform("linux", "x86_64"))
    assert caught.value.reason is Reason.IO_FAILED
