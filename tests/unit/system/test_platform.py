import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from pawld.errors import OperatorError
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.platform import HostProbes, detect, named
from pawld.system.platform.elf import read

GLIBC_64, GLIBC_32 = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux.so.2"


def elf(machine: int, interpreter: str | None, *, bits: int = 64, order: str = "<") -> bytes:
    """The head of an executable as ld writes it: file header, one program header, the loader's path."""
    wide = bits == 64
    path = (interpreter or "").encode() + b"\0"
    header, entry = (64, 56) if wide else (52, 32)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    rest = struct.pack(order + "HHI", 3, machine, 1)
    rest += struct.pack(order + ("QQQ" if wide else "III"), 0x1000, header, 0)
    rest += struct.pack(order + "IHHHHHH", 0, header, entry, 1, 0, 0, 0)
    kind = 3 if interpreter else 1
    offset = header + entry
    if wide:
        program = struct.pack(order + "IIQQQQQQ", kind, 4, offset, 0, 0, len(path), len(path), 1)
    else:
        program = struct.pack(order + "IIIIIIII", kind, offset, 0, 0, len(path), len(path), 4, 1)
    return ident + rest + program + path


@dataclass
class Recorded:
    """The recorded answers of one host."""

    kernel: str
    cpu: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    there: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    native: int | None = None
    registry: str | None = None

    def system(self) -> str:
        return self.kernel

    def machine(self) -> str:
        return self.cpu

    def head(self, path: str) -> bytes:
        return self.files.get(path, b"")

    def exists(self, path: str) -> bool:
        return path in self.there

    def sysctl(self, name: str) -> str | None:
        return self.sysctls.get(name)

    def environment(self, name: str) -> str | None:
        return self.variables.get(name)

    def native_machine(self) -> int | None:
        return self.native

    def registry_architecture(self) -> str | None:
        return self.registry


SH, SELF = "/bin/sh", "/proc/self/exe"
X64, X86 = elf(62, GLIBC_64), elf(3, GLIBC_32, bits=32)
ARM64 = elf(183, "/lib/ld-linux-aarch64.so.1")
ARMHF = elf(40, "/lib/ld-linux-armhf.so.3", bits=32)
PERSONALITY = "/proc/self/personality"

LINUX = {
    "Debian 12 on amd64": (Recorded("Linux", "x86_64", {SH: X64}, (GLIBC_64,)), "linux-x86_64"),
    "Debian 12 with the package musl installed": (
        Recorded("Linux", "x86_64", {SH: X64}, (GLIBC_64, "/lib/ld-musl-x86_64.so.1")),
        "linux-x86_64",
    ),
    "Debian 12 where pawld is a 32-bit program": (
        Recorded("Linux", "x86_64", {SH: X64, SELF: X86}, (GLIBC_64, GLIBC_32)),
        "linux-x86_64",
    ),
    "Debian 12 i386 on a 64-bit kernel": (Recorded("Linux", "x86_64", {SH: X86}, (GLIBC_32,)), "linux-x86"),
    "the same, where libc6-amd64 brought the 64-bit loader": (
        Recorded("Linux", "x86_64", {SH: X86}, (GLIBC_32, GLIBC_64)),
        "linux-x86_64",
    ),
    "a 32-bit chroot entered by linux32": (
        Recorded("Linux", "i686", {SH: X86, PERSONALITY: b"00000008\n"}, (GLIBC_32,)),
        "linux-x86",
    ),
    "linux32 on an ordinary 64-bit host": (
        Recorded("Linux", "i686", {SH: X64, PERSONALITY: b"00000008\n"}, (GLIBC_64,)),
        "linux-x86_64",
    ),
    "Debian i386 on its own kernel": (
        Recorded("Linux", "i686", {SH: X86, PERSONALITY: b"00000000\n"}, (GLIBC_32,)),
        "linux-x86",
    ),
    "Alpine 3.20": (
        Recorded("Linux", "x86_64", {SH: elf(62, "/lib/ld-musl-x86_64.so.1")}, ("/lib/ld-musl-x86_64.so.1",)),
        "linux-x86_64-musl",
    ),
    "Alpine with gcompat's glibc loader": (
        Recorded(
            "Linux",
            "x86_64",
            {SH: elf(62, "/lib/ld-musl-x86_64.so.1")},
            ("/lib/ld-musl-x86_64.so.1", GLIBC_64),
        ),
        "linux-x86_64-musl",
    ),
    "Alpine on arm64": (
        Recorded("Linux", "aarch64", {SH: elf(183, "/lib/ld-musl-aarch64.so.1")}),
        "linux-arm64-musl",
    ),
    "a static busybox beside musl": (
        Recorded("Linux", "x86_64", {SH: elf(62, None)}, ("/lib/ld-musl-x86_64.so.1",)),
        "linux-x86_64-musl",
    ),
    "a static busybox beside glibc": (
        Recorded("Linux", "x86_64", {SH: elf(62, None)}, (GLIBC_64,)),
        "linux-x86_64",
    ),
    "distroless, without a shell": (Recorded("Linux", "aarch64", {SELF: ARM64}), "linux-arm64"),
    "NixOS, whose loader lies in the store": (
        Recorded("Linux", "x86_64", {SH: elf(62, "/nix/store/abc-glibc-2.39/lib/ld-linux-x86-64.so.2")}),
        "linux-x86_64",
    ),
    "Raspberry Pi OS 32-bit on its 64-bit kernel": (
        Recorded("Linux", "aarch64", {SH: ARMHF}, ("/lib/ld-linux-armhf.so.3",)),
        "linux-armv7",
    ),
    "an arm/v7 container on an arm64 host": (Recorded("Linux", "armv8l", {SH: ARMHF}), "linux-armv7"),
    "Raspberry Pi Zero": (Recorded("Linux", "armv6l", {SH: ARMHF}), "linux-armv6"),
    "Debian armel": (
        Recorded("Linux", "armv7l", {SH: elf(40, "/lib/ld-linux.so.3", bits=32)}),
        "linux-armel",
    ),
    "Ubuntu on arm64": (Recorded("Linux", "aarch64", {SH: ARM64}), "linux-arm64"),
    "an amd64 container under qemu on arm64": (Recorded("Linux", "x86_64", {SH: X64}, (GLIBC_64,)), "linux-x86_64"),
    "Fedora on IBM Z": (
        Recorded("Linux", "s390x", {SH: elf(22, "/lib/ld64.so.1", order=">")}),
        "linux-s390x",
    ),
    "nothing but the kernel's word": (Recorded("Linux", "riscv64"), "linux-riscv64"),
    "an unreadable personality": (Recorded("Linux", "i686", {SH: X86, PERSONALITY: b"?"}), "linux-x86"),
}

OTHERS = {
    "Apple M2": (Recorded("Darwin", "arm64", sysctls={"hw.optional.arm64": "1"}), "macos-arm64"),
    "Apple M2, pawld under Rosetta 2": (
        Recorded("Darwin", "x86_64", sysctls={"hw.optional.arm64": "1", "sysctl.proc_translated": "1"}),
        "macos-arm64",
    ),
    "Apple M2, only the translation is told": (
        Recorded("Darwin", "x86_64", sysctls={"sysctl.proc_translated": "1"}),
        "macos-arm64",
    ),
    "Intel Mac, which has neither name": (Recorded("Darwin", "x86_64"), "macos-x86_64"),
    "Windows 11 on x64": (Recorded("Windows", "AMD64", native=0x8664), "windows-x86_64"),
    "Windows on ARM, pawld emulated as x64": (
        Recorded("Windows", "AMD64", native=0xAA64, variables={"PROCESSOR_ARCHITECTURE": "AMD64"}),
        "windows-arm64",
    ),
    "the same, told by the registry alone": (Recorded("Windows", "AMD64", registry="ARM64"), "windows-arm64"),
    "WOW64 on Windows 8.1": (
        Recorded(
            "Windows",
            "x86",
            variables={"PROCESSOR_ARCHITEW6432": "AMD64", "PROCESSOR_ARCHITECTURE": "x86"},
        ),
        "windows-x86_64",
    ),
    "32-bit Windows 10": (Recorded("Windows", "x86", native=0x014C), "windows-x86"),
}


@pytest.mark.parametrize(("host", "expected"), (LINUX | OTHERS).values(), ids=(LINUX | OTHERS).keys())
def test_the_host_is_seen_through_emulation(host: Recorded, expected: str) -> None:
    assert detect(host).name == expected


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        (Recorded("FreeBSD", "amd64"), ["FreeBSD", "amd64"]),
        (Recorded("Linux", "sparc64"), ["sparc64"]),
        (Recorded("Linux", "mips", {SH: elf(8, None, bits=32, order=">")}), ["mips", "32-bit unknown"]),
        (Recorded("Linux", "aarch64_be", {SH: elf(183, None, order=">")}), ["aarch64_be"]),
        (Recorded("Darwin", "Power Macintosh"), ["Power Macintosh", "hw.optional.arm64"]),
        (Recorded("Windows", "IA64", native=0x0200), ["IsWow64Process2 says 0x0200", "IA64"]),
    ],
    ids=["FreeBSD", "SPARC", "MIPS", "big-endian ARM", "PowerPC", "Itanium"],
)
def test_an_unknown_platform_is_an_error_that_names_what_was_seen(host: Recorded, seen: list[str]) -> None:
    with pytest.raises(OperatorError) as raised:
        detect(host)
    assert raised.value.reason is Reason.UNKNOWN_PLATFORM
    for fact in seen:
        assert fact in raised.value.message


@pytest.mark.parametrize(
    ("names", "platform"),
    [
        (("macos", "arm64", None), Platform("macos", "arm64")),
        (("Darwin", "aarch64", None), Platform("macos", "arm64")),
        (("win32", "x64", None), Platform("windows", "x86_64")),
        (("linux", "AMD64", "musl"), Platform("linux", "x86_64", "musl")),
        (("linux", "i686", "glibc"), Platform("linux", "x86")),
    ],
)
def test_a_configured_platform_may_be_spelt_in_the_usual_ways(
    names: tuple[str, str, str | None], platform: Platform
) -> None:
    assert named(*names) == platform


@pytest.mark.parametrize(
    "names", [("plan9", "amd64", None), ("linux", "vax", None), ("macos", "arm64", "musl"), ("linux", "x86", "uclibc")]
)
def test_a_configured_platform_that_nobody_knows_is_refused(names: tuple[str, str, str | None]) -> None:
    with pytest.raises(OperatorError) as raised:
        named(*names)
    assert raised.value.reason is Reason.CONFIG_INVALID


def test_this_very_host_is_known() -> None:
    assert detect().os in ("linux", "macos", "windows")


def test_probes_of_another_system_answer_nothing_here() -> None:
    probes = HostProbes()
    assert probes.head("/no/such/file") == b""
    assert not probes.exists("")
    if detect().os == "linux":
        assert probes.sysctl("hw.optional.arm64") is None
        assert probes.native_machine() is None
        assert probes.registry_architecture() is None
        assert probes.environment("PROCESSOR_ARCHITECTURE") is None


@pytest.mark.parametrize(
    "head",
    [b"", b"#!/bin/sh\n" + bytes(100), b"\x7fELF\x09\x01" + bytes(60), b"\x7fELF\x02\x07" + bytes(60)],
    ids=["empty", "script", "class 9", "byte order 7"],
)
def test_what_is_no_elf_file_is_none(head: bytes) -> None:
    assert read(head) is None


def test_a_program_header_beyond_the_head_is_not_followed() -> None:
    head = bytearray(elf(62, GLIBC_64))
    head[32:40] = struct.pack("<Q", 1 << 40)
    found = read(bytes(head))
    assert found is not None
    assert found.interpreter is None
