"""Headers of native programs, as little as a reader needs."""

import struct


def elf(machine: int, *, bits: int = 64, order: str = "<", osabi: int = 0, loader: bytes = b"") -> bytes:
    """An ELF file with one program header, for *loader* where there is one."""
    ident = b"\x7fELF" + bytes([bits // 32, 1 if order == "<" else 2, 1, osabi]) + bytes(8)
    text = loader + b"\0" if loader else b""
    kind = 3 if loader else 1
    if bits == 64:
        head = struct.pack(order + "2HL3QL6H", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        segment = struct.pack(order + "2L6Q", kind, 4, 120, 0, 0, len(text), len(text), 1)
    else:
        head = struct.pack(order + "2HL3LL6H", 3, machine, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        segment = struct.pack(order + "8L", kind, 84, 0, 0, len(text), len(text), 4, 1)
    return ident + head + segment + text


def pe(machine: int, *, managed: bool = False) -> bytes:
    """A PE image; *managed* ones have a .NET directory."""
    optional = struct.pack("<H", 0x20B if machine in (0x8664, 0xAA64) else 0x10B) + bytes(206)
    optional += struct.pack("<2L", 0x2008, 0x48) if managed else bytes(8)
    head = b"PE\0\0" + struct.pack("<2H3L2H", machine, 1, 0, 0, 0, len(optional), 0x22)
    return b"MZ" + bytes(58) + struct.pack("<L", 64) + head + optional


def macho(cpu: int, order: str = "<") -> bytes:
    """A thin 64-bit Mach-O file."""
    return struct.pack(order + "8L", 0xFEEDFACF, cpu, 0, 2, 0, 0, 0, 0)


def universal(*cpus: int, wide: bool = False) -> bytes:
    """A universal Mach-O file of *cpus*, without their code."""
    entry = struct.Struct(">2L2Q2L" if wide else ">5L")
    head = struct.pack(">2L", 0xCAFEBABF if wide else 0xCAFEBABE, len(cpus))
    rest = (0,) * (5 if wide else 4)
    return head + b"".join(entry.pack(cpu, *rest) for cpu in cpus)
