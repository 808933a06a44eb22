"""ELF headers: machine, and by its loader the libc. System V gABI, chapters 4 and 5."""

import struct

from pawld.install.executables.native import Native, ReadAt

MAGIC = b"\x7fELF"

_MACHINES = {
    (3, 1): "x86",
    (40, 1): "arm",
    (62, 1): "x32",
    (62, 2): "x86_64",
    (183, 2): "arm64",
    (243, 1): "riscv32",
    (243, 2): "riscv64",
    (258, 2): "loong64",
    (20, 1): "ppc",
    (21, 2): "ppc64",
    (22, 2): "s390x",
}
_SYSTEMS = {0: "linux", 3: "linux", 9: "freebsd", 12: "openbsd", 2: "netbsd", 6: "solaris"}  # by EI_OSABI
_PT_INTERP = 3
_MAX_SEGMENTS = 128
_MAX_LOADER = 256  # bytes of the loader's path


def read_elf(read: ReadAt) -> frozenset[Native] | None:
    """Return what the ELF file is made for; None where the header is none."""
    head = read(0, 64)
    if len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):  # noqa: PLR2004 - the 32-bit header's size
        return None
    order = "<" if head[5] == 1 else ">"
    (machine,) = struct.unpack_from(order + "H", head, 18)
    name = _MACHINES.get((machine, head[4]), f"{machine:#x}")
    system = _SYSTEMS.get(head[7], f"osabi{head[7]}")
    return frozenset({Native(system, name, _libc(read, head, order) if system == "linux" else None)})


def _libc(read: ReadAt, head: bytes, order: str) -> str | None:
    loader = _loader(read, head, order)
    if not loader:
        return None
    return "musl" if b"ld-musl" in loader else "gnu"


def _loader(read: ReadAt, head: bytes, order: str) -> bytes:
    """Return the path of the loader that the program asks for; empty where it asks for none."""
    if head[4] == 1:
        (table,) = struct.unpack_from(order + "L", head, 28)
        size, count = struct.unpack_from(order + "2H", head, 42)
        shape, places = struct.Struct(order + "5L"), (1, 4)
    elif len(head) == 64:  # noqa: PLR2004 - the 64-bit header's size
        (table,) = struct.unpack_from(order + "Q", head, 32)
        size, count = struct.unpack_from(order + "2H", head, 54)
        shape, places = struct.Struct(order + "2L4Q"), (2, 5)
    else:
        return b""
    for number in range(min(count, _MAX_SEGMENTS)):
        raw = read(table + number * size, shape.size)
        if len(raw) < shape.size:
            break
        segment = shape.unpack(raw)
        if segment[0] == _PT_INTERP:
            offset, length = segment[places[0]], segment[places[1]]
            return read(offset, min(length, _MAX_LOADER)).partition(b"\0")[0]
    return b""
