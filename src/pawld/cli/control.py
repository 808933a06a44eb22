"""What the commands ask of the wired updater: one verb a command, documents as answers.

The commands know nothing of how an answer comes about, and the updater nothing of how it is printed. The documents are
those that ``--json`` prints: ``{"agents": […]}``, each agent as ``status`` shows it, its ``reason`` being the outcome.
"""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from pawld.cli.output import Document
from pawld.ports import Progress
from pawld.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wish:
    """How an update is wanted.

    Attributes:
        wait: stay until the gates open; else return when one is closed.
        force: skip rollout and windows. Never trust.
    """

    wait: bool = True
    force: bool = False


class Control(Protocol):
    """Everything that a command can ask; *agents* empty means all of them."""

    def status(self, agents: Sequence[str]) -> Document:
        """Tell each agent's state, with no network; ``why`` holds the chain of decisions, one sentence each."""

    def check(self, agents: Sequence[str]) -> Document:
        """Resolve and decide; nothing is downloaded or changed."""

    def explain(self, agents: Sequence[str], at: "datetime | None", host_id: str | None) -> Document:
        """Explain what is decided at that time (default: now) on that host (default: this one)."""

    def update(self, agents: Sequence[str], wish: Wish, progress: Progress) -> Document:
        """Run one cycle for each, to its end."""

    def update_from(self, agents: Sequence[str], bundle: "Path", wish: Wish, progress: Progress) -> Document:
        """Run one cycle of one agent by a bundle file alone, without a network."""

    def rollback(self, agents: Sequence[str]) -> Document:
        """Go back to the previous slot, and block the one left."""

    def block(self, agents: Sequence[str], build: str) -> Document:
        """Never install the build of this version or SHA-256."""

    def unblock(self, agents: Sequence[str], build: str) -> Document:
        """Lift the block of this version or SHA-256."""

    def recover(self, agents: Sequence[str]) -> Document:
        """Finish or undo what was interrupted; no network."""

    def recover_root(self, root: "Path", state: "Path | None") -> Document:
        """Recover what stands in *root* without a configuration."""

    def history(self, agents: Sequence[str], limit: int) -> Document:
        """Return ``{"events": […]}``, newest first."""

    def self_test(self, agents: Sequence[str]) -> Document:
        """Show on a copy of the state that this pawld can take it over; nothing is changed."""

    def metrics(self) -> str:
        """Return the metrics in Prometheus' text format."""

    def speak(self) -> None:
        """Log as the configuration says, from here on."""


def control_of(arguments: argparse.Namespace) -> Control:
    """Return the control of this host's configuration; the heavy import happens here and nowhere earlier."""
    wired = importlib.import_module("pawld.wiring.control")
    return cast("Callable[[Path | None], Control]", wired.control)(arguments.config)


def agents_of(arguments: argparse.Namespace) -> Sequence[str]:
    """Return the agents that the command names; none means all."""
    named: Any = getattr(arguments, "agent", None)
    return (named,) if named else ()
