"""The ways that a cycle goes: each address, hop by hop, and this host's clock beside that of the servers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pawld.doctor.finding import Finding, ok, problem, warning
from pawld.errors import PawldError
from pawld.model import Location
from pawld.ports import Clock
from pawld.reasons import Reason
from pawld.settings.models import Agent
from pawld.system.http import Web, http_date, shown
from pawld.values import dataclass
from pawld.vendors.places import joined

_LIMIT = timedelta(seconds=15)  # for one way
_DRIFT, _SKEW = timedelta(minutes=2), timedelta(minutes=15)  # the last is what signed requests are refused for
_REDIRECTS = range(300, 400)
_PROXY_ASKS = 407
_TEMPLATE = re.compile(r"/[^/]*\{.*")


@dataclass(frozen=True, slots=True)
class Way:
    """One address of the configuration."""

    what: str
    url: str


def ways(agent: Agent) -> Sequence[Way]:
    """Return every address that a cycle of this agent asks; of a template the part that is always the same."""
    found = []
    for table, section in (("source", agent.source), ("trust", agent.trust), ("pin", agent.pin)):
        for key in ("base_url", "metadata_url", "targets_url", "manifest_url", "checksums_url", "url"):
            url = getattr(section, key, None)
            if isinstance(url, str):
                found.append(Way(f"{table}.{key}", _TEMPLATE.sub("/", url)))
    return list({way.url: way for way in found}.values())


def hops(web: Web, agent: Agent, clock: Clock, proxy: str | None) -> Iterator[Finding]:
    """Walk each way to its end; the clock is compared with the first server that tells the time."""
    told_time = False
    through = f" through the proxy {shown(proxy)}" if proxy else ""
    for way in ways(agent):
        try:
            reply = web.call("HEAD", way.url, deadline=_LIMIT)
        except PawldError as error:
            yield problem("network", error.reason, f"{way.what}{through}: {error.message}", mend_of(error.reason))
            continue
        yield _walked(web, way, reply.status, reply.headers, through)
        if not told_time and (finding := clock_beside(reply.headers.get("Date"), clock.now(), way.url)):
            told_time = True
            yield finding


def mend_of(reason: Reason) -> str:
    """The doctor's own advice where the reason's is to ask the doctor."""
    if reason is Reason.UNREACHABLE:
        return "See that the server runs, and that this host's routes, firewall and proxy let it through."
    return reason.next_step


def clock_beside(date: str | None, now: datetime, url: str) -> Finding | None:
    """Compare this host's clock with the Date that a server sent; None where it sent none that can be read."""
    theirs = http_date(date or "")
    if theirs is None:
        return None
    skew = now - theirs
    told = f"This host's clock is {abs(skew.total_seconds()):.0f} s {_direction(skew)} {shown(url)}."
    if abs(skew) > _SKEW:
        return problem("clock", Reason.CLOCK_SUSPECT, told)
    if abs(skew) > _DRIFT:
        return warning("clock", told, "Let this host's clock be set by NTP.")
    return ok("clock", told)


def _walked(web: Web, way: Way, status: int, headers: Mapping[str, str], through: str) -> Finding:
    location = headers.get("Location")
    told = f"{way.what}: {shown(way.url)} answers {status}{through}"
    if status == _PROXY_ASKS:
        return problem("network", Reason.FORBIDDEN, f"{told}: the proxy asks for credentials.")
    if status not in _REDIRECTS or not location:
        return ok("network", f"{told}.")
    target = shown(joined(way.url, location))
    try:
        with web.get(Location(way.url), deadline=_LIMIT) as answer:
            ended = f"{shown(answer.url)} with {answer.status}"
            return ok("network", f"{told} and leads to {target}, which ends at {ended}.")
    except PawldError as error:
        return problem("network", error.reason, f"{told} and leads to {target}, but: {error.message}")


def _direction(skew: timedelta) -> str:
    return "ahead of" if skew > timedelta(0) else "behind"
