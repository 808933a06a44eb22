"""The ports of the lifecycle: one or two verbs each, in the language of updates.

Adapters implement these and take plain values; ``wiring`` chooses them. Values that mean "not now" or "there is none"
are returned; only failures are raised, as ``errors`` says.
"""

from pawld.ports.clock import Clock
from pawld.ports.gates import Answer, Broken, Closed, Gate, Lease, Open
from pawld.ports.health import Finding, HealthCheck, Healthy, Sick, Unclear
from pawld.ports.installer import Installer, Outliving, PatchingInstaller, Rebooting
from pawld.ports.mover import Mover
from pawld.ports.releases import Ordering, Pin, Source
from pawld.ports.service import Pointed, Service, ServiceStatus
from pawld.ports.telling import Event, Progress, Reporter
from pawld.ports.trust import Bring, ChunkProof, Downloaded, Ended, Listed, MarkStore, Trust, Verified, VerifiedPatch

__all__ = [
    "Answer",
    "Bring",
    "Broken",
    "ChunkProof",
    "Clock",
    "Closed",
    "Downloaded",
    "Ended",
    "Event",
    "Finding",
    "Gate",
    "HealthCheck",
    "Healthy",
    "Installer",
    "Lease",
    "Listed",
    "MarkStore",
    "Mover",
    "Open",
    "Ordering",
    "Outliving",
    "PatchingInstaller",
    "Pin",
    "Pointed",
    "Progress",
    "Rebooting",
    "Reporter",
    "Service",
    "ServiceStatus",
    "Sick",
    "Source",
    "Trust",
    "Unclear",
    "Verified",
    "VerifiedPatch",
]
