"""The dead man's switch of a host that cannot fork: what ``service.deadman.Companion`` starts, to sleep beside a token.

What the way back takes is loaded before it sleeps, by what the state remembers of the agent: at the deadline this very
pawld may be gone, or the configuration spoiled.
"""

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pawld.install.shelf import Shelf
from pawld.ports import Clock
from pawld.service.deadman import Sleeper, go_back
from pawld.system.clock import SystemClock
from pawld.wiring.place import service_of
from pawld.wiring.recovery import remembered_settings


def main(words: Sequence[str]) -> None:
    """Sleep beside the token that *words* name, and go back where nobody has called it off."""
    watch(Path(words[0]), SystemClock())


def watch(token: Path, clock: Clock) -> bool:
    """Sleep beside the *token*; return whether it went back."""
    word = token.read_text("utf-8")
    order = json.loads(word)
    root, state = Path(order["root"]), Path(order["state"])
    agent = remembered_settings([root], state).agents[order["agent"]]
    current = Shelf(root).current
    service = service_of(agent, order["agent"], state, clock, current)
    limit = agent.install.timeout if hasattr(agent.install, "timeout") else timedelta(minutes=1)  # of a package manager
    deadline = timedelta(seconds=order["seconds"])
    return Sleeper(token, clock).wait(word, deadline, lambda: go_back(service, order["rollback"], current, limit=limit))


if __name__ == "__main__":
    main(sys.argv[1:])
