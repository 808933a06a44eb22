"""What ``pawld release`` says: lines for people, or one JSON document."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from pawld.model import Record
from pawld.publish.ceremony import Statement
from pawld.publish.edition import Missing
from pawld.publish.expiry import Expiry, Freshness
from pawld.publish.publication import Published
from pawld.publish.status import Named, Status
from pawld.reasons import Exit


def outcome(arguments: Namespace, records: Iterable[Record], published: Published) -> Exit:
    """Tell what became public and what waits; 75 where something still needs signatures."""
    changed = list(records)
    for role, size in published.large.items():
        warn(f"the document of {role} has {size} bytes; hosts read it only with a larger trust.max_metadata.")
    if wants_json(arguments):
        document({"releases": [_release(one) for one in changed], **_published(published)})
    else:
        for record in changed:
            say(f"{record.channel} {record.platform}: {record.version}, sequence {record.sequence}, {_digest(record)}")
            for one in record.patches:
                say(f"  patch from {one.from_sha256[:12]}…: {one.length / record.length:.1%} of the build")
        say(_published_line(published))
        for need in published.waiting:
            say(waiting_line(need))
    return Exit.TRY_LATER if published.waiting else Exit.DONE


def show_status(arguments: Namespace, status: Status) -> Exit:
    """Tell what each channel names, and how long each signature lasts."""
    if wants_json(arguments):
        document(
            {
                "releases": [_release(one.record) | {"fraction": one.fraction} for one in status.releases],
                "roles": [_role(one) for one in status.roles],
                "staged": list(status.staged),
                "waiting": [_need(need) for need in status.waiting],
            }
        )
        return Exit.DONE
    for named in status.releases:
        say(_named_line(named))
    for role in status.roles:
        say(_role_line(role))
    for need in status.waiting:
        say(waiting_line(need))
    return Exit.DONE


def warnings(roles: Iterable[Expiry]) -> list[str]:
    """Return a sentence for each signature that should be made anew."""
    return [_warning(one) for one in roles if one.freshness is not Freshness.FRESH]


def show_statement(stated: Statement, file: str) -> None:
    """Tell somebody who is about to sign what the file says."""
    say(f"{file}: {stated.kind} version {stated.version}, until {stated.expires:%Y-%m-%d %H:%M} UTC")
    say(f"  signed part: sha256 {stated.digest}")
    for role, (threshold, keyids) in stated.quorums.items():
        say(f"  {role}: {threshold} of {', '.join(keyid[:12] for keyid in keyids)}")
    for path, keys in stated.vendor_keys.items():
        say(f"  {path}: {keys.threshold} of {', '.join(keys.public_keys)}")
    for path, record in stated.records.items():
        say(f"  {path}: {record.version}, sequence {record.sequence}, {_digest(record)}")


def waiting_line(need: Missing) -> str:
    """Return the sentence for signatures that are missing."""
    count = "1 more signature" if need.count == 1 else f"{need.count} more signatures"
    return f"{need.role} waits for {count}, by {' or '.join(need.by)}; see `pawld release stage`."


def wants_json(arguments: Namespace) -> bool:
    """Whether one JSON document is wanted on stdout."""
    return bool(getattr(arguments, "json", False))


def document(value: dict[str, Any]) -> None:
    """Print the one JSON document."""
    print(json.dumps(value, indent=1))


def say(line: str) -> None:
    """Print a line for people."""
    print(line)


def warn(line: str) -> None:
    """Print a warning, which is for people even where the answer is for a program."""
    print(f"warning: {line}", file=sys.stderr)


def _published_line(published: Published) -> str:
    if not published.versions:
        return "Nothing new is published."
    return "Published " + ", ".join(f"{role} {version}" for role, version in published.versions.items()) + "."


def _named_line(named: Named) -> str:
    record, rollout = named.record, named.record.rollout
    state = "halted" if rollout.halted else "paused" if rollout.paused_at else f"{named.fraction:.1%} of the hosts"
    if record.version in record.withdrawn:
        state = "withdrawn"
    return (
        f"{record.channel} {record.platform}: {record.version}, sequence {record.sequence}, {state}, {_digest(record)}"
    )


def _role_line(role: Expiry) -> str:
    words = {Freshness.FRESH: "", Freshness.DUE: ", due to be signed again", Freshness.EXPIRED: ", EXPIRED"}
    until = f"{role.expires:%Y-%m-%d %H:%M} UTC"
    return f"{role.role} {role.version}: until {until}, {_left(role.left)} left{words[role.freshness]}"


def _warning(role: Expiry) -> str:
    if role.freshness is Freshness.EXPIRED:
        return (
            f"{role.role} expired at {role.expires:%Y-%m-%d %H:%M} UTC; hosts install nothing until it is signed again."
        )
    return f"{role.role} expires in {_left(role.left)}; sign it again with `pawld release refresh --role {role.role}`."


def _left(left: timedelta) -> str:
    if left >= timedelta(days=2):
        return f"{left.days} d"
    return f"{max(0.0, left.total_seconds() / 3600):.0f} h"


def _digest(record: Record) -> str:
    return f"sha256 {record.sha256[:12]}…"


def _release(record: Record) -> dict[str, Any]:
    return {
        "product": record.product,
        "channel": record.channel,
        "platform": record.platform.name,
        "version": record.version,
        "sequence": record.sequence,
        "sha256": record.sha256,
        "length": record.length,
        "halted": record.rollout.halted,
        "paused": record.rollout.paused_at is not None,
        "withdrawn": list(record.withdrawn),
        "security_floor": record.security_floor,
        "evidence": [one.type for one in record.evidence],
    }


def _role(role: Expiry) -> dict[str, Any]:
    return {
        "role": role.role,
        "version": role.version,
        "expires": role.expires.isoformat(),
        "renew_at": role.renew_at.isoformat(),
        "freshness": role.freshness.value,
    }


def _need(need: Missing) -> dict[str, Any]:
    return {"role": need.role, "count": need.count, "by": list(need.by)}


def _published(published: Published) -> dict[str, Any]:
    return {"published": published.versions, "waiting": [_need(need) for need in published.waiting]}
