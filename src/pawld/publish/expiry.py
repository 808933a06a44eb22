"""When each signature ends, and which should be made anew long before."""

from datetime import datetime, timedelta
from enum import Enum

from pawld.publish.edition import delegated
from pawld.publish.publisher import Publisher
from pawld.publish.roles import TOP_LEVEL
from pawld.values import dataclass


class Freshness(Enum):
    """How a published role stands."""

    FRESH = "fresh"
    DUE = "due"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Expiry:
    """One published role, at one moment.

    Attributes:
        renew_at: from then on it is due to be signed again.
    """

    role: str
    version: int
    expires: datetime
    renew_at: datetime
    freshness: Freshness
    left: timedelta


def expiries(publisher: Publisher) -> list[Expiry]:
    """Return every published role, the next to expire first."""
    targets = publisher.repository.targets()
    roles = (*TOP_LEVEL, *(delegated(targets.signed) if targets else ()))
    found = [_expiry(publisher, role) for role in roles if publisher.repository.version(role)]
    return sorted(found, key=lambda one: one.expires)


def _expiry(publisher: Publisher, role: str) -> Expiry:
    now, signed = publisher.clock.now(), publisher.latest_published(role).signed
    term = publisher.plan.term(role)
    renew_at = signed.expires - (term.lifetime - term.renew_after)
    freshness = Freshness.FRESH if now < renew_at else Freshness.DUE
    if now >= signed.expires:
        freshness = Freshness.EXPIRED
    return Expiry(role, signed.version, signed.expires, renew_at, freshness, signed.expires - now)
