"""What is known of the server's wishes between two polls, and what it has not heard yet; durable, and expendable."""

import json
from contextlib import suppress
from dataclasses import asdict, field, replace
from datetime import datetime
from pathlib import Path

from pawld.system.faults import host_faults
from pawld.system.files import make_directory, write_durably
from pawld.values import dataclass
from pawld.vendors.hawkbit import Deployment, Execution, Feedback, Finished

_MOST_UNSENT = 20  # answers that wait for the server; older ones are dropped


@dataclass(frozen=True, slots=True)
class Action:
    """The deployment that is open for this host.

    Attributes:
        path: feedback goes below it.
        closed: its end was told, or is on its way to be.
        told: what the server last heard of it at the end of a cycle.
    """

    id: str
    path: str
    version: str
    download: str
    update: str
    window: bool | None
    closed: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Unsent:
    """An answer that the server has not taken yet."""

    path: str
    execution: str
    finished: str
    code: int
    details: tuple[str, ...]

    @classmethod
    def of(cls, path: str, given: Feedback) -> "Unsent":
        """Return the form that is kept."""
        return cls(path, given.execution.value, given.finished.value, given.code, tuple(given.details))

    def feedback(self) -> Feedback:
        """Return the answer."""
        return Feedback(Execution(self.execution), Finished(self.finished), self.code, self.details)


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is remembered.

    Attributes:
        poll_at: the server wants no poll before then.
        installed: the version that the server was last told of.
        unconfirmed: the deployment that a person must confirm there first.
    """

    poll_at: datetime | None = None
    action: Action | None = None
    installed: str | None = None
    unsent: tuple[Unsent, ...] = field(default=())
    unconfirmed: str | None = None

    def with_unsent(self, one: Unsent) -> "Memory":
        """Remember an answer that could not be sent."""
        return replace(self, unsent=(*self.unsent, one)[-_MOST_UNSENT:])


def action_of(deployment: Deployment, version: str) -> Action:
    """Return what is kept of a deployment."""
    return Action(deployment.id, deployment.path, version, deployment.download, deployment.update, deployment.window)


def read_memory(path: Path) -> Memory:
    """Read it; what is missing or cannot be read is nothing known, since the server tells it again."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        told = json.loads(path.read_bytes())
        poll_at, action = told.get("poll_at"), told.get("action")
        return Memory(
            datetime.fromisoformat(poll_at) if poll_at else None,
            Action(**action) if action else None,
            told.get("installed"),
            tuple(Unsent(**(one | {"details": tuple(one["details"])})) for one in told.get("unsent", ())),
            told.get("unconfirmed"),
        )
    return Memory()


def write_memory(path: Path, memory: Memory) -> None:
    """Keep it, durably."""
    told = asdict(memory) | {"poll_at": memory.poll_at.isoformat() if memory.poll_at else None}
    with host_faults("Keeping what the campaign server said"):
        make_directory(path.parent, mode=0o700)
        write_durably(path, json.dumps(told).encode())
