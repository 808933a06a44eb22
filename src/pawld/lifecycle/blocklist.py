"""Builds that failed on this host, with the cause, until when, and what would lift it.

Only a fault of the build's own blocks it. A block ends by itself, or where the environment is another one by now, so
that a verdict that was wrong is found out; a build that fails again is blocked for longer each time. A person's block
stays until a person lifts it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pawld.lifecycle.database import Database
from pawld.model import Blocked
from pawld.reasons import Cause, Reason

LONGEST_BLOCK = timedelta(days=60)


class Blocklist:
    """The blocked builds of one agent."""

    def __init__(self, database: Database, agent: str, environment: str = "") -> None:
        """*environment* is the fingerprint of what builds run in here; empty for who only reads."""
        self._database = database
        self._agent = agent
        self._environment = environment

    def all(self) -> Sequence[Blocked]:
        """Return every entry, those that have run out too."""
        # Every column there is: one that is only read may be of an older pawld.
        rows = self._database.rows("SELECT * FROM blocked WHERE agent = ? ORDER BY version", self._agent)
        return [_entry(*row[1:]) for row in rows]

    def of(self, version: str, sha256: str) -> Blocked | None:
        """Return what is known against this build: by its digest, or by a person's word on its version."""
        return next(
            (one for one in self.all() if one.sha256 == sha256 or (not one.sha256 and one.version == version)), None
        )

    def standing(self, version: str, sha256: str) -> Blocked | None:
        """Return what holds against this build here: a verdict on it in another environment is to be tested anew."""
        entry = self.of(version, sha256)
        moved = entry is not None and entry.environment and self._environment not in ("", entry.environment)
        return None if moved else entry

    def block(self, entry: Blocked) -> None:
        """Keep the entry, in place of an older one on the same build; a person's word holds in any environment."""
        environment = self._environment if entry.until is not None else ""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO blocked "
                "(agent, sha256, version, cause, until, lifted_by, message, times, environment) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    self._agent,
                    entry.sha256,
                    entry.version,
                    entry.cause,
                    entry.until.isoformat() if entry.until else None,
                    entry.lifted_by,
                    entry.message,
                    entry.times,
                    environment,
                ),
            )

    def unblock(self, name: str) -> Sequence[Blocked]:
        """Lift what is blocked under this version or digest; return what was lifted."""
        lifted = [one for one in self.all() if name in (one.version, one.sha256) or matches_digest(name, one.sha256)]
        with self._database.transaction() as connection:
            for one in lifted:
                connection.execute(
                    "DELETE FROM blocked WHERE agent = ? AND sha256 = ? AND version = ?",
                    (self._agent, one.sha256, one.version),
                )
        return lifted


def _entry(
    sha256: str, version: str, cause: str, until: str | None, lifted_by: str, message: str, times: str, *added: str
) -> Blocked:
    moment = datetime.fromisoformat(until) if until else None
    return Blocked(version, sha256, cause, moment, lifted_by, message, int(times), *added[:1])


def matches_digest(name: str, sha256: str) -> bool:
    """Say whether *name* is a prefix of the digest, long enough to be meant."""
    return len(name) >= 12 and bool(sha256) and sha256.startswith(name.lower())  # noqa: PLR2004 - as in a slot's name


def verdict(
    version: str, sha256: str, reason: Reason, message: str, now: datetime, before: Blocked | None, first: timedelta
) -> Blocked | None:
    """Return the entry that a failure for *reason* earns the build; None where the fault is not its own."""
    if reason.cause is not Cause.BUILD:
        return None
    times = before.times + 1 if before else 1
    wait = min(first * 2 ** min(times - 1, 10), LONGEST_BLOCK)
    lifted_by = f"A newer release or another environment lifts it, or `pawld unblock {sha256[:12]}`."
    return Blocked(version, sha256, reason.code, now + wait, lifted_by, message, times)
