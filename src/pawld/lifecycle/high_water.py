"""Marks that never fall, in two places: the state database, and a small file beside it.

Either copy restores the other. Both are outside the trust engines' caches, which an attacker or a crash may empty.
"""

import json
from pathlib import Path

from pawld.lifecycle.database import Database
from pawld.system.files import write_durably


class HighWater:
    """The high-water marks of every agent; implements ``ports.MarkStore``."""

    def __init__(self, database: Database, copy: Path) -> None:
        self._database = database
        self._copy = copy

    def mark(self, agent: str, name: str) -> int | None:
        """Return the higher of the two copies."""
        rows = self._database.rows("SELECT value FROM marks WHERE agent = ? AND name = ?", agent, name)
        known = [int(rows[0][0])] if rows else []
        beside = self._beside().get(agent, {}).get(name)
        return max([*known, *([beside] if beside is not None else [])], default=None)

    def raise_to(self, agent: str, name: str, value: int) -> None:
        """Raise both copies, the database first; a lower value changes nothing."""
        before = self.mark(agent, name)
        if before is not None and value <= before:
            return
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (agent, name, value))
        marks = self._beside()
        marks.setdefault(agent, {})[name] = value
        self._write(marks)

    def forget(self, agent: str, name: str) -> None:
        """Drop the mark from both; for a role whose keys a newer root replaced."""
        marks = self._beside()
        marks.get(agent, {}).pop(name, None)
        self._write(marks)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM marks WHERE agent = ? AND name = ?", (agent, name))

    def _beside(self) -> dict[str, dict[str, int]]:
        """Read the copy; one that cannot be read is no copy, and the next raise writes it anew."""
        try:
            document = json.loads(self._copy.read_bytes())
            return {
                str(agent): {str(name): int(value) for name, value in marks.items()}
                for agent, marks in document.items()
            }
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _write(self, marks: dict[str, dict[str, int]]) -> None:
        write_durably(self._copy, json.dumps(marks, indent=1, sort_keys=True).encode())
