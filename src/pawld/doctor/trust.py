"""How fresh what was signed is: days to each expiry, and when the last good refresh was."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pawld.doctor.finding import Finding, ok, problem, warning
from pawld.lifecycle.journal import Journal
from pawld.reasons import Reason

_DAY = timedelta(days=1)
# A timestamp is signed anew each day; a root by people who have to come together.
_SOON = {"timestamp": timedelta(0), "snapshot": timedelta(0), "root": timedelta(days=30)}
_SOON_ELSE = timedelta(days=7)


def expiries(cache: Path, now: datetime) -> Iterator[Finding]:
    """Tell the days that each role of the cached TUF metadata has left."""
    for file in sorted(cache.glob("*.json")):
        try:
            signed = json.loads(file.read_bytes())["signed"]
            expires = datetime.fromisoformat(signed["expires"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            yield warning("trust", f"{file} cannot be read.", "Run `pawld recover`: it sets the cache aside.")
            continue
        yield _expiry(file.stem, int(signed.get("version", 0)), expires, now)


def freshness(journal: Journal, longest: timedelta, now: datetime) -> Finding:
    """Tell when trust was last refreshed."""
    last = journal.fact("last_good_refresh")
    if last is None:
        return warning("freshness", "Trust was never refreshed on this host.", "Run `pawld check`.")
    age = now - datetime.fromisoformat(last)
    told = f"The last good refresh was {age / _DAY:.1f} days ago; {longest / _DAY:.1f} are allowed."
    return problem("freshness", Reason.METADATA_STALE, told) if age > longest else ok("freshness", told)


def _expiry(role: str, version: int, expires: datetime, now: datetime) -> Finding:
    left = expires - now
    told = f"{role}, version {version}, expires on {expires:%Y-%m-%d}, in {left / _DAY:.1f} days."
    if left <= timedelta(0):
        return problem("trust", Reason.METADATA_FROZEN, told.replace("expires", "expired").split(", in ")[0] + ".")
    if left < _SOON.get(role, _SOON_ELSE):
        return warning("trust", told, "The publisher has to sign it anew.")
    return ok("trust", told)
