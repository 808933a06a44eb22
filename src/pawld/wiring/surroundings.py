"""What every adapter of one agent is given: its name, the host's clock and client, and where state lies."""

from dataclasses import dataclass
from pathlib import Path

from pawld.model import Platform
from pawld.ports import Clock, MarkStore
from pawld.system.http import Web


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One agent's place on this host."""

    agent: str
    state: Path
    host_id: str
    platform: Platform
    clock: Clock
    web: Web
    marks: MarkStore

    def token_cache(self, user: str) -> Path:
        """Return where a fetched token of this agent's *user* (a source, a gate) is kept."""
        return self.state / "tokens" / f"{self.agent}-{user}.json"
