"""What there is to do, in the words of the command line, and who waits for it."""

import sys
from dataclasses import field
from enum import Enum
from typing import Any

from pawld.settings.glance import OutlinedAgent
from pawld.system.ending import Apart, Leash
from pawld.system.local_line import Caller
from pawld.system.own_command import detached, own_command
from pawld.values import dataclass

Document = dict[str, Any]


class Verb(Enum):
    """A piece of work; its value is the command that does it."""

    JUDGE = "config"
    RECOVER = "recover"
    STATUS = "status"
    CYCLE = "cycle"
    CHECK = "check"


_MORE_WORDS = {Verb.JUDGE: ("show",), Verb.CHECK: ("--direct",)}


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do.

    Attributes:
        agent: for whom; empty for all of them.
        force: skip rollout and windows.
    """

    verb: Verb
    agent: str = ""
    force: bool = False

    def words(self, config: str | None, agent: OutlinedAgent | None) -> list[str]:
        """Return the command line, with the configuration file to go by.

        pawld's own cycle stops pawld's own service, so it runs where that does not reach it.
        """
        command = [*own_command(), *(("--config", config) if config else ()), "--json", self.verb.value]
        command += _MORE_WORDS.get(self.verb, ())
        command += ["--force"] if self.force else []
        command += [self.agent] if self.agent else []
        if self.stops_us(agent):
            return detached(f"pawld-self-{self.agent}", command)
        return command

    def leash(self, agent: OutlinedAgent | None) -> Leash:
        """Return what its process is started with; on Linux the unit that it runs in is apart from ours already."""
        return Apart() if sys.platform == "win32" and self.stops_us(agent) else Leash()

    def stops_us(self, agent: OutlinedAgent | None) -> bool:
        """Say whether this is pawld's own cycle, for which pawld's service is stopped and started."""
        return self.verb is Verb.CYCLE and agent is not None and agent.updater


@dataclass(slots=True)
class Request:
    """A caller who waits for some agents' documents.

    Attributes:
        wait: a closed gate is no answer yet.
        missing: agents that have none yet.
    """

    caller: Caller
    verb: Verb
    wait: bool
    missing: list[str]
    documents: dict[str, Document] = field(default_factory=dict)

    def take(self, agent: str, verb: Verb, document: Document) -> bool:
        """Take an agent's document; return whether the request is complete, and is answered then."""
        if verb is not self.verb or agent not in self.missing:
            return False
        if self.wait and document.get("state") == "waiting":
            return False
        self.missing.remove(agent)
        self.documents[agent] = document
        if not self.missing:
            self.caller.answer({"agents": list(self.documents.values())})
        return not self.missing
