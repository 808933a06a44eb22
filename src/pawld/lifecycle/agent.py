"""One agent with everything that its updates need, as ``wiring`` put it together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pawld.model import Platform
from pawld.ports import Clock, Gate, HealthCheck, Installer, Mover, Pin, Service, Source, Trust


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
    """The ports and plain values of one agent.

    Attributes:
        windows: gates that ``--force`` passes; *gates* are never passed by it.
        preflight: raises ``TransientError`` unless that many bytes are free below the path.
        downloads: where partial downloads lie, on the slots' volume.
        evidence: where the logs of failed slots are kept.
    """

    name: str
    product: str
    channel: str
    platform: Platform
    host_id: str
    updater: str
    source: Source
    trust: Trust
    mover: Mover
    installer: Installer
    service: Service
    clock: Clock
    preflight: Callable[[Path, int], None]
    downloads: Path
    evidence: Path
    pin: Pin | None = None
    health: Sequence[HealthCheck] = ()
    windows: Sequence[Gate] = ()
    gates: Sequence[Gate] = ()
    limits: Limits = field(default_factory=Limits)
