"""PE headers: the machine, and whether the code is managed. Microsoft, "PE Format"."""

import struct

from pawld.install.executables.native import ANY, Native, ReadAt

MAGIC = b"MZ"

_MACHINES = {0x14C: "x86", 0x8664: "x86_64", 0xAA64: "arm64", 0x1C4: "armv7", 0x200: "ia64"}
_PE32 = 0x10B  # the optional header of 32-bit images
_CLR_IN_PE32 = 208  # bytes into the optional header: the data directory of the .NET runtime


def read_pe(read: ReadAt) -> frozenset[Native] | None:
    """Return what the PE image is made for; None for a plain DOS program or a damaged header."""
    start = read(0x3C, 4)
    if len(start) < 4:  # noqa: PLR2004 - a 32-bit offset
        return None
    (offset,) = struct.unpack("<L", start)
    head = read(offset, 24 + _CLR_IN_PE32 + 8)
    if head[:4] != b"PE\0\0" or len(head) < 26:  # noqa: PLR2004 - up to the optional header's magic
        return None
    machine, magic = struct.unpack_from("<H", head, 4)[0], struct.unpack_from("<H", head, 24)[0]
    managed = magic == _PE32 and any(head[24 + _CLR_IN_PE32 : 24 + _CLR_IN_PE32 + 8])
    # Managed code for "any CPU" is stored as a 32-bit x86 image and runs natively everywhere.
    return frozenset({Native("windows", ANY if managed else _MACHINES.get(machine, f"{machine:#x}"))})
