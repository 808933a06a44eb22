"""Mirrors: places near this host that may have a build by its digest. They are a help, and never trusted or needed."""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pawld.download.ways import name_of
from pawld.errors import PawldError
from pawld.model import Location
from pawld.ports import Clock
from pawld.system.files import write_durably

RESTS = timedelta(hours=1)  # a mirror that failed is left alone for so long
PLACEHOLDER = "{sha256}"
PROXY = "proxy+"
_log = logging.getLogger("pawld.download")


class Mirrors:
    """Knows the configured mirrors, and which of all mirrors rest because they failed.

    Args:
        bases: URLs; a build lies at ``{base}/sha256/{hex}``, or where the base says ``{sha256}`` itself, as a local
            Kraken wants it: ``http://127.0.0.1:16000/namespace/agents/blobs/{sha256}``. One that begins with ``proxy+``
            is a forward proxy, as Dragonfly's dfdaemon is: the source's own address is asked through it.
        memory: the file in which rests outlive this process.
    """

    def __init__(
        self, bases: Sequence[str], clock: Clock, *, rests: timedelta = RESTS, memory: Path | None = None
    ) -> None:
        self._bases = tuple(base.rstrip("/") for base in bases)
        self._clock = clock
        self._rests = rests
        self._memory = memory
        self._until = _remembered(memory)

    def before(self, sha256: str, locations: Sequence[Location]) -> list[Location]:
        """Return where to ask for what has this digest: mirrors that do not rest, then the other *locations*."""
        ours = [one for base in self._bases for one in _near(base, sha256, locations)]
        named = [one for one in locations if one.mirror]
        awake = [one for one in (*ours, *named) if not self._rests_now(name_of(one))]
        return awake + [one for one in locations if not one.mirror]

    def rest(self, location: Location, fault: PawldError) -> None:
        """Leave a mirror alone for a while, and say so; anything else than a mirror is asked each time."""
        if location.mirror:
            self._until[name_of(location)] = self._clock.now() + self._rests
            self._keep()
            _log.warning(
                "The mirror %s is not asked for %d min: %s", name_of(location), self._rests.seconds // 60, fault.message
            )

    def _rests_now(self, host: str) -> bool:
        """A clock that was set back must not make a rest longer."""
        until, now = self._until.get(host), self._clock.now()
        return until is not None and now < until <= now + self._rests

    def _keep(self) -> None:
        """Tell the next process, for each cycle is one of its own; that it cannot be told is no fault."""
        if self._memory is None:
            return
        rests = {host: until.isoformat() for host, until in self._until.items() if self._rests_now(host)}
        with suppress(OSError):
            write_durably(self._memory, json.dumps(rests).encode())


def _remembered(memory: Path | None) -> dict[str, datetime]:
    if memory is None:
        return {}
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return {
            host: datetime.fromisoformat(until).astimezone(UTC)
            for host, until in json.loads(memory.read_bytes()).items()
        }
    return {}


def _near(base: str, sha256: str, locations: Sequence[Location]) -> Sequence[Location]:
    """Return where a mirror has it. No credential goes through a proxy that shares what it fetches."""
    if not base.startswith(PROXY):
        return [Location(_place(base, sha256), mirror=True)]
    open_to_all = [one for one in locations if not one.mirror and not one.headers]
    return [replace(one, mirror=True, via=base.removeprefix(PROXY)) for one in open_to_all[:1]]


def _place(base: str, sha256: str) -> str:
    return base.replace(PLACEHOLDER, sha256) if PLACEHOLDER in base else f"{base}/sha256/{sha256}"
