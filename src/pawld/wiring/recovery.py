"""Recovery as a whole: with a configuration, from a root alone, or with a look alone where nothing can be written."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.install.integrity import examine
from pawld.install.shelf import Shelf
from pawld.lifecycle import status
from pawld.lifecycle.cycle import Outcome
from pawld.lifecycle.database import open_for_reading
from pawld.lifecycle.high_water import HighWater
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.recover import Recovery
from pawld.lifecycle.states import Idle, Probation, RollingBack, State, Swapping
from pawld.lifecycle.stopping import Stopping, left_behind
from pawld.lifecycle.swap import Swap, start_if_stopped
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.settings.models import Settings
from pawld.system.clock import SystemClock
from pawld.trust import tuf_cache
from pawld.wiring.host import Host, platform_of
from pawld.wiring.noted import remembered
from pawld.wiring.place import service_of
from pawld.wiring.stoppable import stoppable

# Where these keep recovery from writing, it still looks and says what it found.
LOOK_ONLY = frozenset({Reason.READ_ONLY, Reason.PERMISSION_DENIED, Reason.IO_FAILED, Reason.DISK_FULL})
NO_CONFIG = frozenset({Reason.CONFIG_MISSING, Reason.CONFIG_INVALID})
_NOTHING = "Nothing was interrupted, and nothing is damaged."


def recovered(host: Host, name: str) -> Outcome:
    """Set aside what cannot be read, restore it from what is on disk, finish or undo, mend and sweep."""
    agent, ledger = host.agent(name), host.ledger(name)
    with Swap(agent, ledger).never_left_stopped():
        done = [*_database(host), *_marks(host, name), *_metadata(host, name)]
        done += _settled(Recovery(agent, ledger))
    if host.database.set_aside is not None:
        Swap(agent, ledger).run_what_is_current()
    return Outcome(name, Reason.RECOVERED, " ".join(done) or _NOTHING)


def recovered_without_configuration(roots: Iterable[Path] | None, state: Path) -> list[dict[str, Any]]:
    """Recover the agents in these roots, or every one that the state remembers, by what the state knows of them.

    Raises:
        OperatorError: usage, where no root is named and none is remembered.
    """
    settings = remembered_settings(roots, state)
    if not settings.agents:
        raise OperatorError(Reason.USAGE, f"The state in {state} remembers no agent; name its directory with --root.")
    try:
        with stoppable(settings) as host:
            return [_told(host, name) for name in settings.agents]
    except PawldError as error:
        if error.reason not in LOOK_ONLY:
            raise
        return looked_at(settings, error)


def remembered_settings(roots: Iterable[Path] | None, state: Path) -> Settings:
    """Return what the state remembers of these roots, or of all; a state that cannot be read remembers nothing."""
    database = open_for_reading(state / "pawld.db")
    try:
        return remembered(database, roots, state)
    finally:
        if database is not None:
            database.close()


def looked_at(settings: Settings, error: PawldError) -> list[dict[str, Any]]:
    """Report how each agent stands where *error* keeps anything from being changed.

    The reason is ``recovered`` where nothing would have had to be done, and else that of *error*.
    """
    return [_looked_at(settings, name, error) for name in settings.agents]


def _told(host: Host, name: str) -> dict[str, Any]:
    try:
        _take_back_what_nobody_can_judge(host, name)
        outcome = recovered(host, name)
        told = outcome.reason.document(outcome.message + _unknown(host.settings, name))
    except PawldError as error:
        told = error.reason.document(error.message)
    except Stopping:
        left_behind(host.agent(name), host.ledger(name))
        raise
    return host.describe(name) | {"reason": told}


def _unknown(settings: Settings, name: str) -> str:
    """Tell which state knows no service: a mistyped ``--state`` looks like one that was lost."""
    if settings.agents[name].service is not None:
        return ""
    return f" The state in {settings.updater.state_dir} knows no service of it; none was touched."


def _take_back_what_nobody_can_judge(host: Host, name: str) -> None:
    """Without a configuration there are no health checks, and a build that nobody watched has not proven itself."""
    ledger = host.ledger(name)
    state = ledger.state
    if isinstance(state, Probation) and state.previous is not None:
        message = f"{state.build.version} was on probation, and without a configuration nothing can judge it."
        Swap(host.agent(name), ledger).take_back(state, Reason.INTERRUPTED, message)


def _settled(recovery: Recovery) -> list[str]:
    """On a full disk the leftovers go first, since not even the journal can be written."""
    try:
        return list(recovery.run())
    except TransientError as error:
        freed = recovery.sweep() if error.reason is Reason.DISK_FULL else 0
        if not freed:
            raise
    return [f"The disk was full; leftovers of {freed} bytes were removed.", *recovery.run()]


def _database(host: Host) -> list[str]:
    aside = host.database.set_aside
    return [] if aside is None else [f"The state could not be read; it was set aside as {aside}."]


def _marks(host: Host, name: str) -> list[str]:
    """Restore each copy of the marks from the other; where both are gone, from the sequence of the current slot."""
    settings, state = host.settings.agents[name], host.settings.updater.state_dir
    marks = HighWater(host.database, state / "marks.json")
    restored = marks.reconcile()
    done = [f"{restored} marks were restored from their other copy."] if restored else []
    current = Shelf(settings.root).current()
    path = f"sequence.{settings.product}/{settings.channel}/{platform_of(settings)}"
    if host.database.set_aside and current and current.sequence and marks.mark(name, path) is None:
        marks.raise_to(name, path, current.sequence)
        done.append(f"The mark of the release sequence was restored from the current slot: {current.sequence}.")
    return done


def _metadata(host: Host, name: str) -> list[str]:
    """Set aside a metadata cache that cannot be read; what must survive of it is in the marks."""
    cache = host.settings.updater.state_dir / "tuf" / name
    unreadable = sorted(one.name for one in cache.glob("*.json") if not _is_json(one))
    if not unreadable:
        return []
    with tuf_cache.locked(cache):
        aside = tuf_cache.set_aside(cache)
    return [f"The metadata cache holds an unreadable {unreadable[0]}; it was set aside as {aside}."]


def _is_json(file: Path) -> bool:
    try:
        json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return True


def _looked_at(settings: Settings, name: str, error: PawldError) -> dict[str, Any]:
    agent, state = settings.agents[name], settings.updater.state_dir
    shelf = Shelf(agent.root)
    current = shelf.current()
    found = _findings(current, state, name)
    if error.reason is not Reason.PERMISSION_DENIED:
        _leave_running(settings, name, current)
    whole = f"{current.version} is current and whole" if current else "nothing is installed"
    if found:
        reason, message = error.reason, f"{' '.join(found)} Nothing was changed: {error.message}"
    else:
        message = f"{whole}, and nothing was interrupted. It was only looked at: {error.message}"
        reason, message = Reason.RECOVERED, message[0].upper() + message[1:]
    document = status.describe_unknown(name, agent.channel, current, shelf.slots())
    return document | {"reason": reason.document(message)}


def _leave_running(settings: Settings, name: str, current: Slot | None) -> None:
    """Start what a broken off swap had stopped, where it is whole: not even a lock can be had to do more."""
    recorded = _recorded(settings.updater.state_dir, name)
    if not isinstance(recorded, Swapping | Probation | RollingBack) or not recorded.start or current is None:
        return
    if examine(current.path).health.holds:
        agent = settings.agents[name]
        state_dir, shelf = settings.updater.state_dir, Shelf(agent.root)
        start_if_stopped(service_of(agent, name, state_dir, SystemClock(), shelf.current), current)


def _recorded(state: Path, name: str) -> State | None:
    database = open_for_reading(state / "pawld.db")
    if database is None:
        return None
    try:
        return Journal(database, name).state()
    finally:
        database.close()


def _findings(current: Slot | None, state: Path, name: str) -> list[str]:
    found = []
    if current is not None and not (examined := examine(current.path)).health.holds:
        found.append(f"The slot {current.name} is damaged: {examined.detail}.")
    recorded = _recorded(state, name)
    if recorded is None:
        return [*found, "The state cannot be read."]
    if not isinstance(recorded, Idle):
        found.append(f"An update was interrupted during {recorded.state.replace('_', ' ')}.")
    return found
