"""macOS: the CPU under Rosetta 2.

A translated process is told ``x86_64`` by uname. ``hw.optional.arm64`` is 1 on every Apple CPU, translated or not, and
is not there at all on an Intel one; ``sysctl.proc_translated`` is 1 in a translated process.
"""

from pawld.model import Platform
from pawld.system.platform.names import architecture
from pawld.system.platform.probes import Probes, Seen

_SIGNS_OF_ARM = ("hw.optional.arm64", "sysctl.proc_translated")


def look(probes: Probes) -> Seen:
    """Ask the hardware before believing uname."""
    signs = {name: probes.sysctl(name) for name in _SIGNS_OF_ARM}
    arch = "arm64" if "1" in signs.values() else architecture(probes.machine())
    facts = [f"uname says {probes.machine()!r}", *(f"{name} is {answer}" for name, answer in signs.items())]
    if arch not in ("arm64", "x86_64"):
        return Seen(None, tuple(facts))
    return Seen(Platform("macos", arch), tuple(facts))
