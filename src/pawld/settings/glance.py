"""What ``status`` and the idle daemon need of the configuration, read without pydantic: 15 ms instead of 150.

It is for what was judged before: anything odd goes to ``load``, which judges it and says what is wrong.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pawld.settings.merge import Draft, gather
from pawld.settings.places import state_directory
from pawld.settings.units import read_duration


@dataclass(frozen=True, slots=True)
class OutlinedAgent:
    """An agent's place and stream."""

    name: str
    product: str
    root: Path
    channel: str


@dataclass(frozen=True, slots=True)
class Outline:
    """Where the state lies, how often to look, and which agents there are."""

    state_dir: Path
    check_every: timedelta
    max_staleness: timedelta
    agents: tuple[OutlinedAgent, ...]


def outline(path: Path | None, environ: Mapping[str, str]) -> Outline:
    """Read the outline; ``OperatorError`` as ``load`` raises it."""
    draft = gather(path, environ)
    try:
        return _outlined(draft.tree)
    except (AttributeError, KeyError, TypeError, ValueError):
        return _judged(draft)


def _outlined(tree: Mapping[str, Any]) -> Outline:
    updater = tree.get("updater", {})
    agents = tuple(_agent(name, table) for name, table in tree["agents"].items())
    if not agents:
        raise ValueError("no agents")
    return Outline(
        Path(updater.get("state_dir") or state_directory(sys.platform)),
        read_duration(updater.get("check_every", "1h")),
        read_duration(updater.get("max_staleness", "3d")),
        agents,
    )


def _agent(name: str, table: Mapping[str, Any]) -> OutlinedAgent:
    words = table.get("product", name), table.get("channel", "stable")
    if not all(isinstance(word, str) for word in words):
        raise TypeError(name)
    return OutlinedAgent(name, words[0], Path(table["root"]), words[1])


def _judged(draft: Draft) -> Outline:
    from pawld.settings.reading import judged  # noqa: PLC0415 - heavy, and only where something is odd

    settings = judged(draft)
    agents = (OutlinedAgent(name, one.product, one.root, one.channel) for name, one in settings.agents.items())
    updater = settings.updater
    return Outline(updater.state_dir, updater.check_every, updater.max_staleness, tuple(agents))
