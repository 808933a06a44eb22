"""Which platform this host is, seen through emulation: builds are chosen for the host, not for how pawld was built.

Each system has its own witnesses (``linux``, ``macos``, ``windows``); all of them are reached through ``Probes``, so
that the rules are tested with the recorded answers of real systems.
"""

from pawld.errors import OperatorError
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.platform import linux, macos, windows
from pawld.system.platform.names import LIBCS, architecture, operating_system
from pawld.system.platform.probes import HostProbes, Probes

__all__ = ["HostProbes", "Probes", "architecture", "detect", "named", "operating_system"]

_RULES = {"linux": linux.look, "macos": macos.look, "windows": windows.look}


def detect(probes: Probes | None = None) -> Platform:
    """Return the platform of this host.

    Raises:
        OperatorError: ``UNKNOWN_PLATFORM``; the sentence tells what was seen.
    """
    probes = probes or HostProbes()
    system = operating_system(probes.system())
    look = _RULES.get(system or "")
    if look is None:
        raise OperatorError(
            Reason.UNKNOWN_PLATFORM,
            f"pawld knows no platform for the system {probes.system()!r} on the CPU {probes.machine()!r}.",
        )
    seen = look(probes)
    if seen.platform is None:
        raise OperatorError(
            Reason.UNKNOWN_PLATFORM,
            f"pawld cannot tell the CPU of this {probes.system()} host: {', '.join(seen.facts)}.",
        )
    return seen.platform


def named(system: str, arch: str, libc: str | None = None) -> Platform:
    """Return the platform that a configuration names, whichever of the usual spellings it uses.

    Raises:
        OperatorError: ``CONFIG_INVALID`` for a name that pawld does not know.
    """
    known_system, known_arch = operating_system(system), architecture(arch)
    if known_system is None or known_arch is None:
        raise OperatorError(Reason.CONFIG_INVALID, f"pawld knows no platform with os {system!r} and arch {arch!r}.")
    if libc is not None and (libc.lower() not in LIBCS or known_system != "linux"):
        raise OperatorError(Reason.CONFIG_INVALID, f"The libc {libc!r} is none that pawld knows on {known_system}.")
    return Platform(known_system, known_arch, LIBCS[libc.lower()] if libc else None)
