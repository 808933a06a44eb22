"""What a command asks of this host, answered with the documents that ``--json`` prints."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pawld.errors import OperatorError, PawldError
from pawld.lifecycle import status
from pawld.ports import Progress
from pawld.reasons import Reason
from pawld.wiring.glimpse import history_at_a_glance, status_at_a_glance

if TYPE_CHECKING:
    from pawld.lifecycle.cycle import Outcome
    from pawld.settings import Settings
    from pawld.wiring.host import Host

Document = dict[str, Any]
_SHORTEST_PREFIX, _DIGEST = 12, 64  # digits of a SHA-256


class Wish(Protocol):
    """How an update is wanted."""

    @property
    def wait(self) -> bool:
        """Stay until the gates open."""

    @property
    def force(self) -> bool:
        """Skip rollout and windows; never trust."""


def control(config: Path | None) -> "Control":
    """Return the control of the host that *config* describes; nothing is read yet."""
    return Control(config)


class Control:
    """The commands' one door to the wired host. *agents* empty means all of them."""

    def __init__(self, config: Path | None) -> None:
        self._config = config

    def status(self, agents: Sequence[str]) -> Document:
        """Tell each agent's state from the journal and the disk; no network, no lock, nothing written."""
        return {"agents": status_at_a_glance(self._config, os.environ, agents)}

    def history(self, agents: Sequence[str], limit: int) -> Document:
        """Return ``{"events": […]}``, newest first."""
        return {"events": history_at_a_glance(self._config, os.environ, agents, limit)}

    def check(self, agents: Sequence[str]) -> Document:
        """Resolve and decide for each agent; nothing is downloaded."""
        from pawld.lifecycle.silence import Silence
        from pawld.wiring.host import opened_for_reading

        settings = self._settings()
        with opened_for_reading(settings) as host:
            return self._each(host, agents, lambda name: host.cycle(name, Silence()).check())

    def update(self, agents: Sequence[str], wish: Wish, progress: Progress) -> Document:
        """Run one cycle for each agent, to its end."""
        from pawld.lifecycle.cycle import Insistence, Patience

        patience = Patience.WAIT if wish.wait else Patience.RETURN
        insistence = Insistence.FORCE if wish.force else Insistence.NONE
        with self._changing() as host:
            return self._each(
                host,
                agents,
                lambda name: host.cycle(name, progress).update(patience, insistence),
            )

    def rollback(self, agents: Sequence[str]) -> Document:
        """Take each agent back to its previous slot, and block the one left."""
        from pawld.lifecycle.cycle import Outcome
        from pawld.lifecycle.operate import Operation

        def back(host: "Host", name: str) -> Outcome:
            idle = Operation(host.agent(name), host.ledger(name)).roll_back()
            return Outcome(name, idle.reason, idle.message, idle.retry_at)

        with self._changing() as host:
            return self._each(host, agents, lambda name: back(host, name))

    def block(self, agents: Sequence[str], build: str) -> Document:
        """Never install the build of this version or SHA-256."""
        from pawld.lifecycle.cycle import Outcome
        from pawld.lifecycle.operate import Operation

        def block(host: "Host", name: str) -> Outcome:
            version, sha256 = ("", build.lower()) if len(build) == _DIGEST else (build, "")
            Operation(host.agent(name), host.ledger(name)).block(version, sha256)
            return Outcome(name, Reason.OPERATOR_BLOCK, f"{build} is blocked until a person lifts it.")

        with self._changing() as host:
            return self._each(host, agents, lambda name: block(host, name))

    def unblock(self, agents: Sequence[str], build: str) -> Document:
        """Lift the block of this version or SHA-256."""
        from pawld.lifecycle.cycle import Outcome
        from pawld.lifecycle.operate import Operation

        def unblock(host: "Host", name: str) -> Outcome:
            lifted = Operation(host.agent(name), host.ledger(name)).unblock(build)
            told = ", ".join(one.version or one.sha256[:_SHORTEST_PREFIX] for one in lifted)
            return Outcome(name, Reason.IDLE, f"{told} may be installed again.")

        with self._changing() as host:
            return self._each(host, agents, lambda name: unblock(host, name))

    def recover(self, agents: Sequence[str]) -> Document:
        """Finish or undo what was interrupted, mend and sweep; no network."""
        from pawld.lifecycle.cycle import Outcome
        from pawld.lifecycle.recover import Recovery

        def recover(host: "Host", name: str) -> Outcome:
            done = list(Recovery(host.agent(name), host.ledger(name)).run())
            if host.database.set_aside is not None:
                done.insert(0, f"The state could not be read; it was set aside as {host.database.set_aside}.")
            return Outcome(name, Reason.RECOVERED, " ".join(done) or "Nothing was interrupted, and nothing is damaged.")

        with self._changing() as host:
            return self._each(host, agents, lambda name: recover(host, name))

    def run(self, agents: Sequence[str]) -> int:
        """Be the daemon."""
        del agents
        raise OperatorError(Reason.USAGE, "This pawld has no daemon yet; run `pawld update` from a timer.")

    def _settings(self) -> "Settings":
        from pawld.settings import load

        return load(self._config, os.environ)

    @contextmanager
    def _changing(self) -> "Iterator[Host]":
        from pawld.wiring.host import opened_for_change
        from pawld.wiring.listeners import listeners_of

        settings = self._settings()
        with opened_for_change(settings, listeners_of(settings)) as host:
            yield host

    def _each(self, host: "Host", agents: Sequence[str], act: "Callable[[str], Outcome]") -> Document:
        """Do it for each agent; one that fails does not keep the others from their turn."""
        return {"agents": [self._answer(host, name, act) for name in host.chosen(agents)]}

    def _answer(self, host: "Host", name: str, act: "Callable[[str], Outcome]") -> Document:
        try:
            outcome = act(name)
            reason = status.reason_document(outcome.reason, outcome.message, outcome.retry_at)
        except PawldError as error:
            reason = status.reason_document(error.reason, error.message)
        return host.describe(name) | {"reason": reason}
