"""What native programs say of themselves, from real files and from headers made by hand."""

import struct
import sys
from pathlib import Path

import pytest
from support.programs import elf, macho, pe, universal

from pawld.install.executables import Native, platforms_of

NATIVES = {
    "glibc": (elf(62, loader=b"/lib64/ld-linux-x86-64.so.2"), {Native("linux", "x86_64", "gnu")}),
    "musl": (elf(183, loader=b"/lib/ld-musl-aarch64.so.1"), {Native("linux", "arm64", "musl")}),
    "static": (elf(62), {Native("linux", "x86_64")}),
    "32-bit x86": (elf(3, bits=32, loader=b"/lib/ld-linux.so.2"), {Native("linux", "x86", "gnu")}),
    "32-bit ARM": (elf(40, bits=32, loader=b"/lib/ld-linux-armhf.so.3"), {Native("linux", "arm", "gnu")}),
    "x32": (elf(62, bits=32), {Native("linux", "x32")}),
    "big-endian": (elf(22, order=">", loader=b"/lib/ld64.so.1"), {Native("linux", "s390x", "gnu")}),
    "FreeBSD": (elf(62, osabi=9, loader=b"/libexec/ld-elf.so.1"), {Native("freebsd", "x86_64")}),
    "unknown system": (elf(62, osabi=99), {Native("osabi99", "x86_64")}),
    "unknown CPU": (elf(0x1234), {Native("linux", "0x1234")}),
    "PE x86-64": (pe(0x8664), {Native("windows", "x86_64")}),
    "PE x86": (pe(0x14C), {Native("windows", "x86")}),
    "PE ARM64": (pe(0xAA64), {Native("windows", "arm64")}),
    "PE managed": (pe(0x14C, managed=True), {Native("windows", "any")}),
    "PE unknown": (pe(0x1), {Native("windows", "0x1")}),
    "Mach-O x86-64": (macho(0x01000007), {Native("macos", "x86_64")}),
    "Mach-O ARM64": (macho(0x0100000C), {Native("macos", "arm64")}),
    "Mach-O big-endian": (macho(0x12, order=">"), {Native("macos", "ppc")}),
    "Mach-O unknown": (macho(0x99), {Native("macos", "0x99")}),
    "universal": (universal(0x01000007, 0x0100000C), {Native("macos", "x86_64"), Native("macos", "arm64")}),
    "universal, 64-bit": (universal(0x0100000C, wide=True), {Native("macos", "arm64")}),
}


@pytest.mark.parametrize(("data", "natives"), NATIVES.values(), ids=NATIVES.keys())
def test_a_header_says_what_it_is_made_for(data: bytes, natives: set[Native]) -> None:
    assert platforms_of(data) == natives


NO_PROGRAMS = {
    "nothing": b"",
    "a script": b"#!/bin/sh\n",
    "text": b"hello, world",
    "a Java class": b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(100),
    "a cut universal header": universal(7, 12)[:20],
    "a universal header of nothing": universal(),
    "a cut Mach-O header": macho(7)[:6],
    "a cut ELF header": elf(62)[:40],
    "an ELF header of no class": elf(62)[:4] + b"\x07" + elf(62)[5:],
    "a DOS program": b"MZ" + bytes(62) + b"\x90" * 40,
    "a cut DOS program": b"MZ\x90",
    "a PE header beyond the end": b"MZ" + bytes(58) + struct.pack("<L", 1 << 30),
}


@pytest.mark.parametrize("data", NO_PROGRAMS.values(), ids=NO_PROGRAMS.keys())
def test_scripts_data_and_damaged_headers_are_no_programs(data: bytes) -> None:
    assert platforms_of(data) is None


LOADERS = {
    "a table beyond the end": struct.pack("<Q", (1 << 64) - 1),
    "a table at the end": struct.pack("<Q", 119),
}


@pytest.mark.parametrize("table", LOADERS.values(), ids=LOADERS.keys())
def test_a_program_header_table_that_lies_names_no_loader(tmp_path: Path, table: bytes) -> None:
    data = elf(62, loader=b"/lib64/ld-linux-x86-64.so.2")
    lying = data[:32] + table + data[40:]
    (tmp_path / "lying").write_bytes(lying)
    assert platforms_of(lying) == platforms_of(tmp_path / "lying") == {Native("linux", "x86_64")}


def test_a_64_bit_header_that_is_cut_names_no_loader() -> None:
    assert platforms_of(elf(62)[:56]) == {Native("linux", "x86_64")}


@pytest.mark.skipif(sys.platform != "linux", reason="it looks at this interpreter's own ELF file")
def test_the_running_interpreter_is_native_code() -> None:
    natives = platforms_of(Path(sys.executable).resolve())
    assert natives is not None
    assert {one.os for one in natives} == {"linux"}
