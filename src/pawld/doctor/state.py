"""What pawld itself knows: its database, its marks, what was interrupted, and the slot that is current."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pawld.doctor.finding import Finding, ok, problem, warning
from pawld.errors import PawldError
from pawld.install.integrity import examine
from pawld.install.shelf import Shelf
from pawld.lifecycle.database import Database
from pawld.lifecycle.high_water import HighWater
from pawld.lifecycle.journal import Journal
from pawld.lifecycle.states import Idle, Waiting
from pawld.model import Slot
from pawld.ports import Service
from pawld.reasons import Reason

_ROOM = 2 * 1024 * 1024  # bytes: for a commit beside its rollback journal, trust metadata and reports


def state(directory: Path, database: Database | None) -> Iterator[Finding]:
    """Look at the state database and at what was set aside of it."""
    if database is None and (directory / "pawld.db").exists():
        yield problem("state", Reason.IO_FAILED, f"{directory / 'pawld.db'} cannot be read.", "Run `pawld recover`.")
    elif database is None:
        yield ok("state", f"{directory} holds no state yet.")
    else:
        yield ok("state", f"{directory / 'pawld.db'} can be read.")
    for aside in sorted(directory.glob("pawld.db.damaged-*")):
        mend = "Find out what damaged it, then remove the file."
        yield warning("state", f"An unreadable database was set aside as {aside}.", mend)


def room(directory: Path) -> Finding:
    """Say whether the state can still be written; a database of years has some MiB."""
    free = shutil.disk_usage(next(one for one in (directory, *directory.parents) if one.exists())).free
    if free < _ROOM:
        told = f"{free // 1024} KiB are free at {directory}, where pawld keeps its state."
        return problem("state", Reason.DISK_FULL, told, f"Free {_ROOM // 1024} KiB there at least.")
    return ok("state", f"{free // (1024 * 1024)} MiB are free at {directory} for the state.")


def marks(directory: Path, database: Database) -> Finding:
    """Compare both copies of the marks."""
    lacking = HighWater(database, directory / "marks.json").lacking()
    if lacking:
        told = f"{len(lacking)} marks are in one of their two copies only."
        return warning("marks", told, "Run `pawld recover`: either copy restores the other.")
    return ok("marks", "Both copies of the marks agree.")


def journal(journal_: Journal) -> Finding:
    """Say whether an update was left in its middle."""
    recorded = journal_.state()
    if isinstance(recorded, Idle | Waiting):
        return ok("journal", f"Nothing was interrupted; the agent is {recorded.state}.")
    told = f"An update was left {recorded.state.replace('_', ' ')}, unless a pawld is at it just now."
    return warning("journal", told, "Run `pawld recover`.")


def slot(root: Path) -> Finding:
    """Hash what is current."""
    current = Shelf(root).current()
    if current is None:
        return warning("slot", f"Nothing is installed in {root}.", "Run `pawld update`.")
    examined = examine(current.path)
    if not examined.health.holds:
        return problem("slot", Reason.SLOT_DAMAGED, f"{current.name} is damaged: {examined.detail}.")
    return ok("slot", f"{current.version} is current, and every byte of it is as it was installed.")


def service(service_: Service, current: Slot | None) -> Finding:
    """Ask whether the service runs, and whether it will after the next boot; *current* is what it should run."""
    try:
        status = service_.status()
    except PawldError as error:
        return problem("service", error.reason, error.message)
    told = (
        f"{status.detail or 'The service'}; process {status.pid}." if status.pid else f"{status.detail or 'It runs'}."
    )
    if not status.running and current is None:
        return warning("service", f"The service does not run: {status.detail}.", "Run `pawld update`: it starts it.")
    if not status.running:
        mend = "Start it; if it was stopped on purpose, pawld leaves it so."
        return problem("service", Reason.SERVICE_FAILED, f"The service does not run: {status.detail}.", mend)
    if status.enabled is False:
        return warning("service", f"{told} It is not enabled.", "Enable it, or it is gone after the next boot.")
    return ok("service", told)
