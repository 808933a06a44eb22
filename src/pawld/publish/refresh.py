"""Sign anew what would run out: timestamp and snapshot from cron, the other roles when they are due.

A release of the agent is no reason to be late with this, and this is no reason to have the release keys online: by
default only the two online keys are used.
"""

from collections.abc import Iterable

from pawld.publish.edition import delegated
from pawld.publish.expiry import Freshness, expiries
from pawld.publish.publication import Published, renew
from pawld.publish.publisher import Publisher
from pawld.publish.roles import ONLINE, ROOT, TARGETS


def refresh(publisher: Publisher, roles: Iterable[str] = ()) -> Published:
    """Sign *roles* anew with what they say now, then timestamp and (where it is half used) snapshot."""
    for role in roles:
        if role not in ONLINE:
            publisher.stage(role, publisher.edited(role))
    return renew(publisher)


def due_here(publisher: Publisher) -> list[str]:
    """Return the roles that are due and whose threshold of keys is in the key directory."""
    due = [one.role for one in expiries(publisher) if one.freshness is not Freshness.FRESH and one.role not in ONLINE]
    return [role for role in due if _held(publisher, role) >= _threshold(publisher, role)]


def renewable(publisher: Publisher) -> tuple[str, ...]:
    """Return the roles that ``refresh`` may be asked to sign."""
    return (ROOT, TARGETS, *delegated(publisher.targets.signed))


def _held(publisher: Publisher, role: str) -> int:
    return sum(publisher.keyring.holds(key) for key in publisher.keys_of(role).values())


def _threshold(publisher: Publisher, role: str) -> int:
    delegator = publisher.root.signed if role in (ROOT, TARGETS) else publisher.targets.signed
    return int(delegator.get_delegated_role(role).threshold)
