"""One examination of this host: every check, in the order in which a person would look."""

from collections.abc import Callable, Iterator, Sequence

from pawld.doctor import network, place, state, trust
from pawld.doctor.finding import Finding, ok, problem
from pawld.doctor.reports import reports
from pawld.errors import PawldError
from pawld.lifecycle.database import Database, open_for_reading
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.resolve import Inquiry, Resolved
from pawld.model import NoBuild
from pawld.reasons import Reason
from pawld.settings.models import Agent, Settings
from pawld.wiring.copied import on_a_copy
from pawld.wiring.host import Host, opened_for_reading, platform_of

Found = tuple[str, Finding]


def examination(settings: Settings, agents: Sequence[str]) -> Iterator[Found]:
    """Yield each finding with the agent that it is about; an empty name means the host."""
    yield "", ok("config", f"The configuration is valid; its agents: {', '.join(settings.agents)}.")
    state_dir = settings.updater.state_dir
    database = open_for_reading(state_dir / "pawld.db")
    try:
        for finding in (*place.permissions([state_dir]), *state.state(state_dir, database), state.room(state_dir)):
            yield "", finding
        yield "", place.container()
        yield "", place.walls(settings.updater)
        yield from (("", finding) for finding in reports(state_dir, settings.report))
        if database is not None:
            yield "", state.marks(state_dir, database)
        yield from (("", finding) for finding in place.guards())
        for name in agents or list(settings.agents):
            yield from ((name, finding) for finding in _standing(settings, name, database))
    finally:
        if database is not None:
            database.close()
    yield from _reaching(settings, agents or list(settings.agents))


def _standing(settings: Settings, name: str, database: Database | None) -> Iterator[Finding]:
    """What stands on this host, without network."""
    agent: Agent = settings.agents[name]
    yield from place.permissions([agent.root])
    yield place.owner(agent.root)
    yield place.mount(agent.root)
    yield place.disk(agent.root, agent.install.reserve)
    yield state.slot(agent.root)
    if database is not None:
        yield state.journal(Journal(database, name))


def _reaching(settings: Settings, names: Sequence[str]) -> Iterator[Found]:
    """What needs the wired host: service, network, trust and builds. What it fetches stays in a copy of the state."""
    try:
        with on_a_copy(settings) as copied, opened_for_reading(copied) as host:
            for name in names:
                yield from ((name, finding) for finding in _of_agent(host, name))
    except PawldError as error:
        yield "", problem("state", error.reason, error.message)


def _of_agent(host: Host, name: str) -> Iterator[Finding]:
    settings, agent, now = host.settings, host.settings.agents[name], host.clock.now()
    if agent.service is not None:
        yield _guarded("service", lambda: _service(host, name))
    yield from network.hops(host.web, agent, host.clock, settings.updater.proxy)
    yield from trust.expiries(settings.updater.state_dir / "tuf" / name, now)
    yield trust.freshness(host.ledger(name).journal, settings.staleness(name), now)
    yield _guarded("platform", lambda: _platform(host, name))


def _service(host: Host, name: str) -> Finding:
    agent = host.agent(name)
    return state.service(agent.service, agent.installer.current())


def _platform(host: Host, name: str) -> Finding:
    """Ask, as a cycle would, whether there is a build for this platform."""
    platform = platform_of(host.settings.agents[name])
    resolved = Inquiry(host.supply(name)).resolve()
    if isinstance(resolved, NoBuild):
        return problem("platform", Reason.NO_BUILD, f"This host is {platform}. {resolved.message}")
    if not isinstance(resolved, Resolved):
        return ok("platform", f"This host is {platform}. {resolved.message}")
    return ok("platform", f"This host is {platform}, and {resolved.record.version} is offered and signed for it.")


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except PawldError as error:
        return problem(name, error.reason, error.message, network.mend_of(error.reason))
