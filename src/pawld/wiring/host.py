"""This host, opened: state database, client, and each configured agent wired. One updater changes it at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawld import __version__
from pawld.errors import OperatorError, TransientError
from pawld.install.shelf import Shelf
from pawld.lifecycle import status
from pawld.lifecycle.agent import Agent, Limits, Supply
from pawld.lifecycle.blocklist import Blocklist
from pawld.lifecycle.cycle import Cycle
from pawld.lifecycle.database import Database, open_database
from pawld.lifecycle.high_water import HighWater
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.ledger import Ledger
from pawld.model import Platform
from pawld.ports import Clock, Gate, Progress, Reporter
from pawld.reasons import Reason
from pawld.settings.models import Agent as AgentSettings
from pawld.settings.models import Settings
from pawld.system.clock import SystemClock
from pawld.system.faults import host_faults
from pawld.system.files import make_directory
from pawld.system.host_id import host_id
from pawld.system.http import Web
from pawld.system.own_command import DETACHED
from pawld.values import dataclass
from pawld.wiring.campaigns import Access, Campaigns
from pawld.wiring.environment import fingerprint
from pawld.wiring.glimpse import LOCK
from pawld.wiring.network import web_of
from pawld.wiring.place import installer_of, service_of
from pawld.wiring.proof import product_of, trust_of
from pawld.wiring.supply import mover_of, pin_of, published_of, source_of
from pawld.wiring.surroundings import Surroundings
from pawld.wiring.verdicts import gates_of, health_of
from pawld.wiring.walls import walls_of

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PATIENCE_WHEN_DETACHED = 900  # seconds

Listen = Callable[[Settings, Database, Web], AbstractContextManager[Sequence[Reporter]]]
"""Opens who is told of every move, once the state database is open; closing it sends what is still to be sent."""


def nobody(settings: Settings, database: Database, web: Web) -> AbstractContextManager[Sequence[Reporter]]:
    """Tell nobody."""
    del settings, database, web
    return nullcontext(())


@dataclass(frozen=True, slots=True)
class Host:
    """Everything that a command works on."""

    settings: Settings
    database: Database
    clock: Clock
    web: Web
    reporters: Sequence[Reporter]
    closing: ExitStack
    campaigns: Campaigns
    private_webs: dict[tuple[str, Path | str], Web] = field(default_factory=dict)

    def ledger(self, name: str) -> Ledger:
        """Return the agent's ledger."""
        journal = Journal(self.database, name, self.settings.report.history)
        campaign = self.campaigns.reporters(self._known(name), self._around(name))
        blocklist = Blocklist(self.database, name, fingerprint(self._known(name)))
        return Ledger(name, journal, blocklist, self.clock, [*self.reporters, *campaign])

    def agent(self, name: str) -> Agent:
        """Return what stands on this host of the agent; ``OperatorError`` (usage) for an unknown one."""
        return self._agent(name, self.campaigns.windows(self._known(name), self._around(name)))

    def _agent(self, name: str, first: Sequence[Gate]) -> Agent:
        settings, around = self._known(name), self._around(name)
        installer = installer_of(settings, around)
        service = service_of(settings, name, around.state, self.clock, installer.current)
        windows, gates = gates_of(settings, around)
        return Agent(
            name=name,
            installer=installer,
            service=service,
            clock=self.clock,
            evidence=around.state / "evidence" / name,
            health=health_of(settings, around, service),
            windows=windows,
            gates=[*first, *gates],
            limits=_limits(settings),
        )

    def supply(self, name: str) -> Supply:
        """Return where the agent's releases come from, and what proves them."""
        from pawld.download.disk import preflight

        settings, around = self._known(name), self._around(name)
        return Supply(
            product=product_of(settings),
            channel=settings.channel,
            platform=around.platform,
            host_id=around.host_id,
            updater=__version__,
            source=source_of(settings, around),
            trust=trust_of(settings, self.settings.updater.max_build, around, Shelf(settings.root).current),
            mover=mover_of(settings, self.settings.updater, around),
            preflight=lambda path, needed: preflight(path, needed, reserve=settings.install.reserve),
            downloads=settings.root / ".pawld",
            pin=pin_of(settings, around, self.campaigns.of(settings, around)),
            published=published_of(settings),
        )

    def cycle(self, name: str, progress: Progress) -> Cycle:
        """Return the agent's cycle, after noting where the agent lies, for a recovery without a configuration."""
        from pawld.wiring.noted import remember

        self.web.warm()
        remember(self.ledger(name), self._known(name))
        return Cycle(self.agent(name), self.supply(name), self.ledger(name), progress)

    def cycle_from(self, name: str, bundle: Path, progress: Progress) -> Cycle:
        """Return the agent's cycle with a bundle as its only supply: no server is asked, a campaign's neither."""
        from pawld.wiring.air_gap import supply_from

        settings, around = self._known(name), self._around(name)
        supply = supply_from(bundle, self.supply(name), settings, self.settings.updater, around)
        return Cycle(self._agent(name, ()), supply, self.ledger(name), progress)

    def chosen(self, names: Sequence[str]) -> Sequence[str]:
        """Return the names that were asked for, or all; ``OperatorError`` (usage) for an unknown one."""
        for name in names:
            self._known(name)
        return list(names or self.settings.agents)

    def describe(self, name: str) -> dict[str, Any]:
        """Return the agent's status document."""
        settings, ledger = self._known(name), self.ledger(name)
        shelf = Shelf(settings.root)
        return status.describe(name, settings.channel, shelf.current(), shelf.slots(), ledger.journal, ledger.blocklist)

    def _open_web(self, ca_file: Path) -> Web:
        return self._opened("ca_file", ca_file)

    def _open_through(self, proxy: str) -> Web:
        return self._opened("proxy", proxy)

    def _opened(self, key: str, value: Path | str) -> Web:
        """Open the client that differs from the usual one in one key; once for all who want it."""
        if (key, value) not in self.private_webs:
            updater = self.settings.updater.model_copy(update={key: value})
            self.private_webs[key, value] = self.closing.enter_context(web_of(updater))
        return self.private_webs[key, value]

    def _known(self, name: str) -> AgentSettings:
        settings = self.settings.agents.get(name)
        if settings is None:
            known = ", ".join(self.settings.agents)
            raise OperatorError(Reason.USAGE, f"There is no agent {name!r} in the configuration; there is {known}.")
        return settings

    def _around(self, name: str) -> Surroundings:
        updater = self.settings.updater
        this_host = updater.host_id or host_id(updater.state_dir)
        return Surroundings(
            agent=name,
            state=updater.state_dir,
            host_id=this_host,
            platform=platform_of(self._known(name)),
            clock=self.clock,
            web=self.web,
            marks=HighWater(self.database, updater.state_dir / "marks.json"),
            lock_holder=this_host if len(self.settings.agents) == 1 else f"{this_host}.{name}",
            open_web=self._open_web,
            open_through=self._open_through,
            walls=walls_of(updater),
        )


def platform_of(settings: AgentSettings) -> Platform:
    """Return the platform that builds are chosen for: the configured one, or else this host's."""
    if settings.platform is not None:
        return settings.platform.platform()
    from pawld.system.platform import detect

    return detect()


@contextmanager
def opened_for_change(settings: Settings, listen: Listen = nobody, clock: Clock | None = None) -> Iterator[Host]:
    """Open this host for an update; ``TransientError`` (updater_busy) while another pawld is at work."""
    with ExitStack() as stack:
        stack.enter_context(_alone(settings.updater.state_dir))
        yield stack.enter_context(_opened(settings, listen, clock or SystemClock(), Access.CHANGE))


@contextmanager
def opened_for_reading(settings: Settings) -> Iterator[Host]:
    """Open this host for ``check`` and its like, beside an updater that may be at work."""
    with _opened(settings, nobody, SystemClock(), Access.READ) as host:
        yield host


@contextmanager
def _opened(settings: Settings, listen: Listen, clock: Clock, access: Access) -> Iterator[Host]:
    with ExitStack() as stack:
        database = open_database(settings.updater.state_dir / "pawld.db", clock.now())
        stack.callback(database.close)
        web = web_of(settings.updater)
        stack.callback(web.close)
        reporters = stack.enter_context(listen(settings, database, web))
        yield Host(settings, database, clock, web, reporters, stack, Campaigns(stack, access))


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the state directory's lock; the operating system lets go of it when the process ends, however it ends."""
    from filelock import FileLock

    with host_faults(f"Locking {state}"):
        make_directory(state, mode=0o700)
        lock = FileLock(state / LOCK, mode=0o600)
        held = _taken(lock)
    if not held:
        raise TransientError(Reason.UPDATER_BUSY, f"Another pawld is at work in {state}.")
    try:
        yield
    finally:
        lock.release()


def _taken(lock: "BaseFileLock") -> bool:
    """Take the lock if it is free; its own ``Timeout`` is an ``OSError``, and must not pass for a fault of the host."""
    from filelock import Timeout

    # A process that a swap was handed over to waits for the one that did so, and for what the daemon is at.
    patience = _PATIENCE_WHEN_DETACHED if os.environ.get(DETACHED) else 0
    try:
        lock.acquire(timeout=patience)
    except Timeout:
        return False
    return True


def _limits(settings: AgentSettings) -> Limits:
    health = settings.health
    return Limits(
        attempts=settings.limits.max_attempts,
        probation=health.probation,
        confirmed=health.failures,
        looks=health.among,
        starts=health.boots,
        keep=settings.install.keep,
        block_for=settings.limits.block_for,
    )
