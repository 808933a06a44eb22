"""Keep the logs of a failed slot, so that it can be found out what ailed it. A rollback never deletes evidence."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pawld.lifecycle.agent import Agent
from pawld.system.files import make_directory

_KEPT = 5  # slots whose evidence stays on disk


def keep(agent: Agent, slot: str, since: datetime, story: Sequence[str]) -> None:
    """Write what was found and what the service logged since then; a full disk must not stop the way back."""
    with suppress(OSError):
        directory = agent.evidence / slot
        make_directory(directory, mode=0o700)
        stamp = f"{agent.clock.now():%Y%m%dT%H%M%SZ}"
        (directory / f"{stamp}-findings.txt").write_text("\n".join(story) + "\n", encoding="utf-8")
        (directory / f"{stamp}-service.log").write_text(agent.service.evidence(since), encoding="utf-8")
        _forget_oldest(agent.evidence)


def _forget_oldest(directory: Path) -> None:
    oldest_first = sorted(directory.iterdir(), key=lambda one: one.stat().st_mtime)
    for one in oldest_first[:-_KEPT]:
        shutil.rmtree(one, ignore_errors=True)
