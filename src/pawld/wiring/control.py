"""What a command asks of this host, answered with the documents that ``--json`` prints."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from logging import getLogger
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pawld.errors import OperatorError, PawldError
from pawld.ports import Progress
from pawld.reasons import Reason
from pawld.wiring.glimpse import history_at_a_glance, status_at_a_glance

if TYPE_CHECKING:
    from pawld.lifecycle.cycle import Cycle, Outcome
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

    def explain(self, agents: Sequence[str], at: datetime | None, host_id: str | None) -> Document:
        """Explain for each agent what is decided at that time (default: now) on that host (default: this one)."""
        from pawld.lifecycle.explain import Asked
        from pawld.lifecycle.silence import Silence
        from pawld.wiring.host import opened_for_reading

        with opened_for_reading(self._settings()) as host:
            asked = Asked(at or host.clock.now(), host_id)
            return self._each(host, agents, lambda name: host.cycle(name, Silence()).explain(asked))

    def update(self, agents: Sequence[str], wish: Wish, progress: Progress) -> Document:
        """Run one cycle for each agent, to its end."""
        from pawld.lifecycle.cycle import Insistence, Patience
        from pawld.wiring.self_update import handed_over

        patience = Patience.WAIT if wish.wait else Patience.RETURN
        insistence = Insistence.FORCE if wish.force else Insistence.NONE
        with self._changing() as host:
            return self._each(
                host,
                agents,
                lambda name: (
                    handed_over(host, name, self._config)
                    or _at_its_least(host.cycle(name, progress)).update(patience, insistence)
                ),
            )

    def update_from(self, agents: Sequence[str], bundle: Path, wish: Wish, progress: Progress) -> Document:
        """Run one cycle of one agent by a bundle file alone; ``OperatorError`` (usage) where several could be meant."""
        from pawld.lifecycle.cycle import Insistence, Patience

        patience = Patience.WAIT if wish.wait else Patience.RETURN
        insistence = Insistence.FORCE if wish.force else Insistence.NONE
        with self._changing() as host:
            if len(host.chosen(agents)) != 1:
                raise OperatorError(Reason.USAGE, "A bundle is for one agent; name it behind the file.")
            return self._each(
                host,
                agents,
                lambda name: _at_its_least(host.cycle_from(name, bundle, progress)).update(patience, insistence),
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
        """Finish or undo what was interrupted, mend and sweep; no network, and what the state remembers will do."""
        from pawld.wiring import recovery
        from pawld.wiring.self_update import handed_over

        def recover(host: "Host", name: str) -> "Outcome":
            elsewhere = handed_over(host, name, self._config)
            return recovery.recovered(host, name) if elsewhere is None else elsewhere

        try:
            with self._changing() as host:
                return self._each(host, agents, lambda name: recover(host, name))
        except PawldError as error:
            return {"agents": self._recovered_anyhow(agents, error)}

    def recover_root(self, root: Path, state: Path | None) -> Document:
        """Recover what stands in *root* without any configuration, by what the state (default: its own place) knows."""
        from pawld.wiring.recovery import recovered_without_configuration

        return {"agents": recovered_without_configuration([root], state or _default_state())}

    def _recovered_anyhow(self, agents: Sequence[str], error: PawldError) -> Sequence[Document]:
        """Go on without a configuration, or by looking alone; raise *error* where neither is possible."""
        from pawld.wiring import recovery

        if error.reason in recovery.NO_CONFIG and recovery.remembered_settings(None, _default_state()).agents:
            return recovery.recovered_without_configuration(None, _default_state())
        if error.reason not in recovery.LOOK_ONLY:
            raise error
        documents = recovery.looked_at(self._settings(), error)
        return [one for one in documents if not agents or one["name"] in agents]

    def self_test(self, agents: Sequence[str]) -> Document:
        """Show on a copy of the state that this very pawld can take it over; nothing on this host is changed."""
        from pawld.wiring.self_test import self_test

        return self_test(self._settings(), agents)

    def metrics(self) -> str:
        """Return this host's metrics in Prometheus' text format."""
        from pawld.wiring.glimpse import metrics_at_a_glance

        return metrics_at_a_glance(self._config, os.environ)

    def speak(self) -> None:
        """Log as the configuration says, from here on."""
        from pawld.wiring.listeners import speak

        speak(self._settings().report)

    def _settings(self) -> "Settings":
        from pawld.settings import load

        return load(self._config, os.environ)

    @contextmanager
    def _changing(self) -> "Iterator[Host]":
        from pawld.wiring.listeners import listeners_of
        from pawld.wiring.stoppable import stoppable

        settings = self._settings()
        with stoppable(settings, listeners_of) as host:
            yield host
            self._write_metrics(settings)
            self._push_metrics(settings)

    def _write_metrics(self, settings: "Settings") -> None:
        """Leave the metrics for the collector of text files; that it fails is logged, and stops nothing."""
        file = settings.report.metrics_file
        if file is None:
            return
        from pawld.system.files import write_durably

        try:
            write_durably(file, self.metrics().encode(), mode=0o644)
        except OSError as error:
            getLogger("pawld").warning("The metrics could not be written to %s: %s.", file, error.strerror)

    def _push_metrics(self, settings: "Settings") -> None:
        """Send the metrics where nobody scrapes them; that it fails is logged, and stops nothing."""
        if not settings.report.otlp_metrics:
            return
        from pawld.wiring.glimpse import families_at_a_glance
        from pawld.wiring.listeners import push_metrics

        try:
            push_metrics(settings, families_at_a_glance(self._config, os.environ))
        except PawldError as error:
            getLogger("pawld").warning("The metrics were not sent: %s", error.message)

    def _each(self, host: "Host", agents: Sequence[str], act: "Callable[[str], Outcome]") -> Document:
        """Do it for each agent; one that fails does not keep the others from their turn, a stop does."""
        from pawld.lifecycle.stopping import Stopping, left_behind

        answers = []
        for name in host.chosen(agents):
            try:
                answers.append(self._answer(host, name, act))
            except Stopping:
                outcome = left_behind(host.agent(name), host.ledger(name))
                answers.append(_told(host, outcome))
                break
        return {"agents": answers}

    def _answer(self, host: "Host", name: str, act: "Callable[[str], Outcome]") -> Document:
        try:
            return _told(host, act(name))
        except PawldError as error:
            return host.describe(name) | {"reason": error.reason.document(error.message)}


def _at_its_least(cycle: "Cycle") -> "Cycle":
    """Let go of what a start maps once and never again, before documents of strangers come on top."""
    from pawld.system.memory import let_go_of_mapped_files

    let_go_of_mapped_files()
    return cycle


def _default_state() -> Path:
    from pawld.settings.places import state_directory

    return Path(os.environ.get("PAWLD_UPDATER__STATE_DIR") or state_directory(sys.platform))


def _told(host: "Host", outcome: "Outcome") -> Document:
    reason = outcome.reason.document(outcome.message, outcome.retry_at)
    return host.describe(outcome.agent) | {"reason": reason}
