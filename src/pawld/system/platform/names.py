"""The many spellings of systems and CPUs, and the one that records and paths use."""

_SYSTEMS = {
    "linux": ("linux", "gnu/linux"),
    "macos": ("macos", "darwin", "osx", "mac"),
    "windows": ("windows", "win32", "win64", "win"),
}

# armhf distributions are built for ARMv7; ``armel`` is the ABI without floating-point registers, another world.
_ARCHITECTURES = {
    "x86_64": ("x86_64", "amd64", "x64", "x86-64", "em64t", "intel64"),
    "x86": ("x86", "i386", "i486", "i586", "i686", "ia32", "i86pc", "386"),
    "arm64": ("arm64", "aarch64", "arm64e", "arm64v8", "armv8"),
    "armv7": ("armv7", "armv7l", "armv7hl", "armhf", "armv8l", "arm32v7"),
    "armv6": ("armv6", "armv6l", "armv6hl", "arm32v6"),
    "armel": ("armel", "armv5tel", "armv5tejl", "armv5"),
    "riscv64": ("riscv64",),
    "ppc64le": ("ppc64le", "ppc64el", "powerpc64le"),
    "s390x": ("s390x",),
    "loongarch64": ("loongarch64", "loong64"),
}

LIBCS: dict[str, str | None] = {"musl": "musl", "glibc": None, "gnu": None}
"""What a configuration may call the libc, and what ``Platform.libc`` calls it."""


def _turned(table: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {spelling: name for name, spellings in table.items() for spelling in spellings}


_SYSTEM_OF, _ARCHITECTURE_OF = _turned(_SYSTEMS), _turned(_ARCHITECTURES)


def operating_system(spelling: str) -> str | None:
    """Return ``linux``, ``macos`` or ``windows``; None for any other system."""
    return _SYSTEM_OF.get(spelling.strip().lower())


def architecture(spelling: str) -> str | None:
    """Return the name that pawld uses for this CPU; None for one that it does not know."""
    return _ARCHITECTURE_OF.get(spelling.strip().lower())
