"""Linux: the kernel's CPU, and the userland that really lies on the disk.

The witness is the host's own shell, then pawld's own executable: a 32-bit userland on a 64-bit kernel must not be
offered builds whose loader is not there. It gets 64-bit ones only where the 64-bit loader exists (multiarch), and musl
ones only where its own programs use musl, whatever compatibility loaders lie beside (``gcompat``, Debian's ``musl``).
"""

from pawld.model import Platform
from pawld.system.platform.elf import Elf, read
from pawld.system.platform.names import architecture
from pawld.system.platform.probes import Probes, Seen

_WITNESSES = ("/bin/sh", "/proc/self/exe")
_PER_LINUX32 = 0x0008  # <linux/personality.h>: uname answers as a 32-bit kernel would
_WIDER = {"x86": "x86_64", "armv7": "arm64"}

_GLIBC = {
    "x86_64": ("/lib64/ld-linux-x86-64.so.2",),
    "arm64": ("/lib/ld-linux-aarch64.so.1",),
    "x86": ("/lib/ld-linux.so.2",),
    "armv7": ("/lib/ld-linux-armhf.so.3",),
    "armv6": ("/lib/ld-linux-armhf.so.3",),
}
_MUSL = {
    "x86_64": "/lib/ld-musl-x86_64.so.1",
    "arm64": "/lib/ld-musl-aarch64.so.1",
    "x86": "/lib/ld-musl-i386.so.1",
    "armv7": "/lib/ld-musl-armhf.so.1",
    "armv6": "/lib/ld-musl-armhf.so.1",
    "riscv64": "/lib/ld-musl-riscv64.so.1",
    "ppc64le": "/lib/ld-musl-powerpc64le.so.1",
    "s390x": "/lib/ld-musl-s390x.so.1",
    "loongarch64": "/lib/ld-musl-loongarch64.so.1",
}


def look(probes: Probes) -> Seen:
    """Weigh kernel and userland; the userland decides."""
    userland = _userland(probes)
    kernel = _kernel(probes)
    facts = [f"the kernel says {probes.machine()!r}"]
    facts.append(f"its programs are {userland.bits}-bit {userland.arch or 'unknown'}" if userland else "no ELF program")
    if userland is None:
        arch = kernel
    elif userland.bits == 64 or kernel is None:  # noqa: PLR2004 - the word says it
        arch = userland.arch if userland.arch != "arm" else None
    else:
        arch = kernel if _loader_exists(probes, kernel) else _narrow(userland, probes)
    if arch is None:
        return Seen(None, tuple(facts))
    return Seen(Platform("linux", arch, _libc(probes, arch, userland)), tuple(facts))


def _userland(probes: Probes) -> Elf | None:
    return next((found for path in _WITNESSES if (found := read(probes.head(path)))), None)


def _kernel(probes: Probes) -> str | None:
    """Return the kernel's own CPU, though a personality makes it answer as the 32-bit one."""
    arch = architecture(probes.machine())
    if arch in _WIDER and (probes.machine() == "armv8l" or _personality(probes) & _PER_LINUX32):
        return _WIDER[arch]
    return arch


def _personality(probes: Probes) -> int:
    text = probes.head("/proc/self/personality").strip()
    try:
        return int(text, 16)
    except ValueError:
        return 0


def _loader_exists(probes: Probes, arch: str) -> bool:
    return any(probes.exists(path) for path in (*_GLIBC.get(arch, ()), *filter(None, [_MUSL.get(arch)])))


def _narrow(userland: Elf, probes: Probes) -> str | None:
    """Name a 32-bit userland: which ARM it is, the kernel and the loader's ABI tell."""
    if userland.arch != "arm":
        return userland.arch
    if userland.interpreter and "armhf" not in userland.interpreter:
        return "armel"
    kernel = architecture(probes.machine())
    return kernel if kernel in ("armv6", "armv7") else "armv7"


def _libc(probes: Probes, arch: str, userland: Elf | None) -> str | None:
    """Return ``musl`` where the host's own programs use it, or where no other loader is there."""
    if userland is not None and userland.interpreter is not None and userland.arch == _elf_name(arch):
        return "musl" if "ld-musl" in userland.interpreter else None
    if any(probes.exists(path) for path in _GLIBC.get(arch, ())):
        return None
    return "musl" if probes.exists(_MUSL.get(arch, "")) else None


def _elf_name(arch: str) -> str:
    return "arm" if arch.startswith("armv") or arch == "armel" else arch
