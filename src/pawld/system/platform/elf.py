"""What an ELF file tells of the userland it belongs to: its CPU, and its loader (gABI, chapters 4 and 5)."""

import struct

from pawld.values import dataclass

HEAD = 4096  # bytes; program headers follow the file header at once in every linker's output

_MAGIC = b"\x7fELF"
_PT_INTERP = 3
_LITTLE, _BIG = 1, 2
_BITS = {1: 32, 2: 64}  # EI_CLASS
_HEADER_SIZE = 64

# (e_machine, bits, byte order) as ``elf.h`` numbers them.
_MACHINES = {
    (3, 32, _LITTLE): "x86",
    (62, 64, _LITTLE): "x86_64",
    (40, 32, _LITTLE): "arm",
    (183, 64, _LITTLE): "arm64",
    (243, 64, _LITTLE): "riscv64",
    (21, 64, _LITTLE): "ppc64le",
    (22, 64, _BIG): "s390x",
    (258, 64, _LITTLE): "loongarch64",
}


@dataclass(frozen=True, slots=True)
class Elf:
    """What an executable was made for.

    Attributes:
        arch: our name of the CPU, ``arm`` for any 32-bit ARM; None for one that is not in the table.
        bits: 32 or 64.
        interpreter: the path of its loader; None in a static one.
    """

    arch: str | None
    bits: int
    interpreter: str | None


def read(head: bytes) -> Elf | None:
    """Read the head of a file; None where it is no ELF file, or a broken one."""
    if len(head) < _HEADER_SIZE or not head.startswith(_MAGIC):
        return None
    bits, order = _BITS.get(head[4]), head[5]
    if bits is None or order not in (_LITTLE, _BIG):
        return None
    sign = "<" if order == _LITTLE else ">"
    (machine,) = struct.unpack_from(f"{sign}H", head, 18)
    return Elf(_MACHINES.get((machine, bits, order)), bits, _interpreter(head, bits, sign))


def _interpreter(head: bytes, bits: int, sign: str) -> str | None:
    """Find the program header PT_INTERP and read the path that it points at, as far as *head* reaches."""
    wide = bits == 64  # noqa: PLR2004 - the word says it
    (table,) = struct.unpack_from(f"{sign}Q" if wide else f"{sign}I", head, 32 if wide else 28)
    size, count = struct.unpack_from(f"{sign}HH", head, 54 if wide else 42)
    place, number = (8, "Q") if wide else (4, "I")  # of p_offset; p_filesz is three fields further
    for index in range(count):
        start = table + index * size
        if start + size > len(head):
            return None
        (kind,) = struct.unpack_from(f"{sign}I", head, start)
        if kind == _PT_INTERP:
            offset, _, _, length = struct.unpack_from(f"{sign}4{number}", head, start + place)
            return head[offset : offset + length].rstrip(b"\0").decode("ascii", "replace") or None
    return None
