"""Mach-O headers, thin and universal. <mach-o/loader.h>, <mach-o/fat.h>."""

import struct

from pawld.install.executables.native import Native, ReadAt

THIN = {
    b"\xcf\xfa\xed\xfe": "<",
    b"\xce\xfa\xed\xfe": "<",
    b"\xfe\xed\xfa\xcf": ">",
    b"\xfe\xed\xfa\xce": ">",
}
UNIVERSAL = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}  # bytes of one architecture's entry
MAGICS = frozenset(THIN) | frozenset(UNIVERSAL)

_CPUS = {0x7: "x86", 0x01000007: "x86_64", 0xC: "arm", 0x0100000C: "arm64", 0x12: "ppc"}
_MAX_SLICES = 30  # a Java class begins with the same four bytes, and goes on with a version of 45 at least


def read_macho(read: ReadAt) -> frozenset[Native] | None:
    """Return every system that the Mach-O file holds code for; None where it is none."""
    head = read(0, 8)
    if len(head) < 8:  # noqa: PLR2004 - magic and a number
        return None
    order = THIN.get(head[:4])
    if order:
        return frozenset({_native(struct.unpack_from(order + "L", head, 4)[0])})
    size, (count,) = UNIVERSAL[head[:4]], struct.unpack_from(">L", head, 4)
    if not 0 < count <= _MAX_SLICES:
        return None
    entries = read(8, size * count)
    if len(entries) < size * count:
        return None
    return frozenset(_native(struct.unpack_from(">L", entries, number * size)[0]) for number in range(count))


def _native(cpu: int) -> Native:
    return Native("macos", _CPUS.get(cpu, f"{cpu:#x}"))
