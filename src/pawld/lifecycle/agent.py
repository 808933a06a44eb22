"""One agent and its supply, as ``wiring`` put them together."""

from collections.abc import Callable, Sequence
from dataclasses import field
from datetime import timedelta
from pathlib import Path

from pawld.model import Location, Platform
from pawld.ports import Clock, Gate, HealthCheck, Installer, Mover, Pin, Service, Source, Trust
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how often.

    Attributes:
        attempts: how often a build is begun before it is left alone for a while.
        probation: how long a new slot is watched.
        confirmed: this many of the last *looks* findings of one check must be bad before the build is taken back.
        starts: how many interrupted probations a build is given; a build that hangs the host uses them up.
        keep: how many slots stay on disk, the current one included.
        block_for: how long a build that failed is left alone; longer each time it fails again.
    """

    attempts: int = 5
    probation: timedelta = timedelta(minutes=2)
    confirmed: int = 3
    looks: int = 5
    starts: int = 3
    keep: int = 2
    block_for: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Agent:
    """What stands on this host: enough to swap, watch, take back and recover, without network.

    Attributes:
        windows: gates that ``--force`` passes; *gates* are never passed by it.
        evidence: where the logs of failed slots are kept.
    """

    name: str
    installer: Installer
    service: Service
    clock: Clock
    evidence: Path
    health: Sequence[HealthCheck] = ()
    windows: Sequence[Gate] = ()
    gates: Sequence[Gate] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where an agent's releases come from, and what proves them.

    Attributes:
        host_id: what this host's cohort is hashed from.
        updater: pawld's own version.
        preflight: raises ``TransientError`` unless that many bytes are free below the path.
        downloads: where partial downloads lie, on the slots' volume.
        published: where a patch or a list of files may be, by its target: the publisher of the record serves them, not
            the source; none by default.
    """

    product: str
    channel: str
    platform: Platform
    host_id: str
    updater: str
    source: Source
    trust: Trust
    mover: Mover
    preflight: Callable[[Path, int], None]
    downloads: Path
    pin: Pin | None = None
    published: Callable[[str], Sequence[Location]] = lambda _target: ()
