"""What a build runs in on this host, as a fingerprint: a verdict on it is worth as much as this stays the same."""

import hashlib
import json
import platform
from collections.abc import Iterable
from contextlib import suppress

from pawld import __version__
from pawld.settings.models import Agent as AgentSettings


def fingerprint(agent: AgentSettings) -> str:
    """Return a digest of pawld's version, this system's release, and how the agent is installed, run and judged."""
    configured = [agent.install, agent.service, agent.health]
    told = [None if one is None else one.model_dump(mode="json") for one in configured]
    return hashlib.sha256(json.dumps([__version__, *_system(), told], sort_keys=True).encode()).hexdigest()


def _system() -> Iterable[str]:
    """The kernel's name and release, the machine, and the distribution; not the host's name, which says nothing."""
    found = platform.uname()
    distribution: dict[str, str] = {}
    with suppress(OSError):  # macOS and Windows have none
        distribution = platform.freedesktop_os_release()
    return [found.system, found.release, found.machine, *(distribution.get(one, "") for one in ("ID", "VERSION_ID"))]
