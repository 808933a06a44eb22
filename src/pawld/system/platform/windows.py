"""Windows: the CPU under WOW64 and under the x64 emulation of Windows on ARM.

``PROCESSOR_ARCHITECTURE`` tells the emulated CPU. ``IsWow64Process2`` names the native one, for an emulated x64 process
too; before Windows 10 1511 it is missing, and the system's own environment in the registry tells.
"""

from pawld.model import Platform
from pawld.system.platform.names import architecture
from pawld.system.platform.probes import Probes, Seen

# IMAGE_FILE_MACHINE_* of <winnt.h>
_MACHINES = {0x014C: "x86", 0x8664: "x86_64", 0xAA64: "arm64"}


def look(probes: Probes) -> Seen:
    """Take the first witness that knows the native CPU."""
    native = probes.native_machine()
    words = {
        "the registry": probes.registry_architecture(),
        "PROCESSOR_ARCHITEW6432": probes.environment("PROCESSOR_ARCHITEW6432"),
        "PROCESSOR_ARCHITECTURE": probes.environment("PROCESSOR_ARCHITECTURE"),
        "the interpreter": probes.machine(),
    }
    facts = [f"IsWow64Process2 says {native:#06x}" if native else "IsWow64Process2 does not answer"]
    facts += [f"{witness} says {word!r}" for witness, word in words.items()]
    arch = _MACHINES.get(native or 0) or next((known for word in words.values() if (known := _known(word))), None)
    return Seen(Platform("windows", arch) if arch else None, tuple(facts))


def _known(word: str | None) -> str | None:
    arch = architecture(word or "")
    return arch if arch in _MACHINES.values() else None
