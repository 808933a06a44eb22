"""What the repository says at this moment, for a person or a monitor."""

from pawld.lifecycle.rollout import fraction_at
from pawld.model import Record
from pawld.publish.edition import Missing, missing, staged
from pawld.publish.expiry import Expiry, expiries
from pawld.publish.publisher import Publisher
from pawld.publish.records import read
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """A release that a channel names, and how far it has come: the share of hosts that may have it now."""

    record: Record
    fraction: float


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is published, and what waits."""

    releases: tuple[Named, ...]
    roles: tuple[Expiry, ...]
    staged: tuple[str, ...]
    waiting: tuple[Missing, ...]


def status(publisher: Publisher) -> Status:
    """Look at what is published (not at what is staged), as hosts see it."""
    now = publisher.clock.now()
    published = [publisher.repository.targets(channel) for channel in publisher.plan.channels]
    records = [read(one) for metadata in published if metadata for _, one in sorted(metadata.signed.targets.items())]
    return Status(
        releases=tuple(Named(one, 0.0 if one.rollout.halted else fraction_at(one.rollout, now)) for one in records),
        roles=tuple(expiries(publisher)),
        staged=tuple(staged(publisher)),
        waiting=missing(publisher),
    )
