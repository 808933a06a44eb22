"""What the journal remembers of an agent's place, so that recovery finds it where no configuration can be read.

No secret is among it: where the agent lies, how it got there, and what runs it.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pawld.errors import OperatorError
from pawld.install.layout import Layout
from pawld.lifecycle.database import Database
from pawld.lifecycle.ledger import Ledger
from pawld.reasons import Reason
from pawld.settings.health import Health
from pawld.settings.install import DirectoryInstall, Install, Service
from pawld.settings.models import Agent, Limits, PlatformOverride, Settings
from pawld.settings.updater import Report, Updater

_PLACE = "place"  # the fact's name
_NOTED = """SELECT agent, value FROM facts WHERE name = ?
  ORDER BY (SELECT max(id) FROM history WHERE history.agent = facts.agent)"""
_TABLES = ("platform", "install", "service")


def remember(ledger: Ledger, agent: Agent) -> None:
    """Note the agent's place, where it is not noted so already."""
    dumped = agent.model_dump(mode="json", include={"root", "product", "channel", *_TABLES}, exclude_none=True)
    place = json.loads(json.dumps(dumped))
    if ledger.journal.fact(_PLACE) != place:
        ledger.note(**{_PLACE: place})


def remembered(database: Database | None, roots: Iterable[Path] | None, state: Path) -> Settings:
    """Return settings for recovery alone: the agents in *roots* (None: every noted one), with nothing to check them by.

    A root that nobody noted is an agent of its own, called by the root's name, with no service known;
    ``OperatorError`` (usage) where nothing of ours is in it.
    """
    noted = dict(_noted(database)) if database is not None else {}
    by_root = {place["root"]: (name, place) for name, place in noted.items()}
    wanted = [str(root) for root in roots] if roots is not None else sorted(by_root)
    agents = {}
    for root in wanted:
        if root not in by_root and not Layout(Path(root)).versions.is_dir():
            raise OperatorError(Reason.USAGE, f"There is no agent in {root}: it holds no directory `versions`.")
        name, place = by_root.get(root, (Path(root).name or "agent", {}))
        agents[name] = _agent(name, Path(root), place)
    updater = Updater.model_construct(state_dir=state, host_id="recovery", stall=timedelta(seconds=30))
    return Settings.model_construct(updater=updater, report=Report(), agents=agents)


def _noted(database: Database) -> list[tuple[str, dict[str, Any]]]:
    # An agent that was given another name is noted under both: the one that moved last is what the root holds now.
    rows = database.rows(_NOTED, _PLACE)
    return [(agent, place) for agent, value in rows if isinstance(place := json.loads(value), dict) and "root" in place]


def _agent(name: str, root: Path, place: dict[str, Any]) -> Agent:
    install: Any = TypeAdapter(Install).validate_python(place["install"]) if "install" in place else DirectoryInstall()
    service: Any = TypeAdapter(Service).validate_python(place["service"]) if "service" in place else None
    platform = PlatformOverride.model_validate(place["platform"]) if "platform" in place else None
    # Built without being judged: source and trust are not known, and recovery asks neither.
    known: dict[str, Any] = {
        "product": place.get("product", name),
        "root": root,
        "channel": place.get("channel", "unknown"),
        "platform": platform,
        "install": install,
        "service": service,
        "health": Health(),
        "gates": (),
        "limits": Limits(),
    }
    return Agent.model_construct(**known)
