"""What every adapter of one agent is given: its name, the host's clock and client, and where state lies."""

from collections.abc import Callable
from pathlib import Path

from pawld.model import Platform
from pawld.ports import Clock, MarkStore
from pawld.system.http import Web
from pawld.system.walls import Walls
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One agent's place on this host.

    Attributes:
        lock_holder: what a shared lock is held by: the host, and the agent too where several would share its name.
        walls: where the bytes of strangers are read; None reads them in this process.
        open_web: makes a client that trusts a private authority; it is closed with the host.
        open_through: makes a client that goes through a proxy near this host; it is closed with the host too.
    """

    agent: str
    state: Path
    host_id: str
    platform: Platform
    clock: Clock
    web: Web
    marks: MarkStore
    lock_holder: str
    open_web: Callable[[Path], Web]
    open_through: Callable[[str], Web]
    walls: Walls | None = None

    def token_cache(self, user: str) -> Path:
        """Return where a fetched token of this agent's *user* (a source, a gate) is kept."""
        return self.state / "tokens" / f"{self.agent}-{user}.json"
