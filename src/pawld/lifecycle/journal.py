"""The journal: every move is recorded, durably, before it is acted on.

One transaction writes the new state and its line of history, so that neither can be there without the other.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from pawld.lifecycle.database import Database
from pawld.lifecycle.state_document import decoded, encoded
from pawld.lifecycle.states import Idle, State, checked_move
from pawld.ports import Event
from pawld.reasons import Reason


class Journal:
    """What the state database knows of one agent's updates."""

    def __init__(self, database: Database, agent: str, kept: int = 1000) -> None:
        """*kept* lines of history stay for each agent."""
        self._database = database
        self._agent = agent
        self._kept = kept

    def state(self) -> State:
        """Return the recorded state; one that cannot be read counts as interrupted: ``recover`` looks at the disk."""
        found = self._database.rows("SELECT document FROM states WHERE agent = ?", self._agent)
        if not found:
            return Idle()
        try:
            return decoded(found[0][0])
        except ValueError:
            return Idle(Reason.INTERRUPTED, "The recorded state cannot be read; it is rebuilt from what is on disk.")

    def together(self) -> AbstractContextManager[object]:
        """Make everything that is recorded inside durable in one step, or nothing of it; each step costs five syncs."""
        return self._database.transaction()

    def remain(self, state: State) -> None:
        """Refresh the recorded state where nothing happened that history should tell."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (self._agent, encoded(state)))

    def move(self, new: State, event: Event) -> None:
        """Record that the agent is now in *new*, for what *event* says; durable when it returns."""
        checked_move(self.state(), new)
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (self._agent, encoded(new)))
            connection.execute(
                "INSERT INTO history (at, agent, state, reason, message, version, sha256) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    event.at.isoformat(),
                    self._agent,
                    event.state,
                    event.reason.code,
                    event.message,
                    event.version,
                    event.sha256,
                ),
            )
            connection.execute(
                "DELETE FROM history WHERE agent = ? AND id <= (SELECT max(id) FROM history) - ?",
                (self._agent, self._kept),
            )

    def history(self, limit: int) -> Sequence[Event]:
        """Return the last *limit* events, newest first."""
        rows = self._database.rows(
            "SELECT at, agent, state, reason, message, version, sha256 FROM history WHERE agent = ? "
            "ORDER BY id DESC LIMIT ?",
            self._agent,
            limit,
        )
        return [
            Event(datetime.fromisoformat(at), agent, state, Reason.of(reason), message, version, sha256)
            for at, agent, state, reason, message, version, sha256 in rows
        ]

    def note(self, **facts: Any) -> None:
        """Keep facts for the status: JSON values by name; None removes one."""
        with self._database.transaction() as connection:
            for name, value in facts.items():
                if value is None:
                    connection.execute("DELETE FROM facts WHERE agent = ? AND name = ?", (self._agent, name))
                else:
                    connection.execute(
                        "INSERT OR REPLACE INTO facts VALUES (?, ?, ?)",
                        (self._agent, name, json.dumps(value, default=_plain)),
                    )

    def fact(self, name: str) -> Any:
        """Return a kept fact, or None."""
        found = self._database.rows("SELECT value FROM facts WHERE agent = ? AND name = ?", self._agent, name)
        return json.loads(found[0][0]) if found else None

    def attempts(self, sha256: str) -> int:
        """Return how often this build was begun and not finished."""
        found = self._database.rows("SELECT count FROM attempts WHERE agent = ? AND sha256 = ?", self._agent, sha256)
        return int(found[0][0]) if found else 0

    def count_attempt(self, sha256: str) -> None:
        """Count one more, durably, before the attempt begins."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO attempts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                (self._agent, sha256),
            )

    def forget_attempts(self, sha256: str | None = None) -> None:
        """Begin counting anew, for one build or for all."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM attempts WHERE agent = ? AND (? IS NULL OR sha256 = ?)", (self._agent, sha256, sha256)
            )


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value).__name__)
