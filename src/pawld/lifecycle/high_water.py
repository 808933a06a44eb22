"""Marks that never fall, in two places: the state database, and a small file beside it.

Either copy restores the other. Both are outside the trust engines' caches, which an attacker or a crash may empty.
"""

import json
from pathlib import Path

from pawld.lifecycle.database import Database
from pawld.system.faults import host_faults
from pawld.system.files import write_durably


class HighWater:
    """The high-water marks of every agent; implements ``ports.MarkStore``."""

    def __init__(self, database: Database, copy: Path) -> None:
        self._database = database
        self._copy = copy

    def mark(self, agent: str, name: str) -> int | None:
        """Return the higher of the two copies."""
        copies = (self._stored(), self._beside())
        return max((one[agent][name] for one in copies if name in one.get(agent, {})), default=None)

    def raise_to(self, agent: str, name: str, value: int) -> None:
        """Raise both copies, the database first; a lower value lowers neither.

        Each is looked at by itself: a disk that failed between the two must not leave one behind for good.
        """
        value = max(value, self.mark(agent, name) or value)
        if self._stored().get(agent, {}).get(name, -1) < value:
            with self._database.transaction() as connection:
                connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (agent, name, value))
        marks = self._beside()
        if marks.get(agent, {}).get(name, -1) < value:
            marks.setdefault(agent, {})[name] = value
            self._write(marks)

    def lacking(self) -> set[tuple[str, str, int]]:
        """Return the marks that one copy lacks, or has lower than the other: agent, name and the higher value."""
        stored, beside = self._stored(), self._beside()
        return {
            (agent, name, value)
            for known, other in ((stored, beside), (beside, stored))
            for agent, marks in known.items()
            for name, value in marks.items()
            if other.get(agent, {}).get(name, -1) < value
        }

    def reconcile(self) -> int:
        """Restore either copy from the other, after a crash or a loss; return how many marks one of them lacked."""
        with host_faults("Removing an unfinished copy of the marks"):
            self._copy.with_name(f".{self._copy.name}.new").unlink(missing_ok=True)
        lacking = self.lacking()
        for agent, name, value in lacking:
            self.raise_to(agent, name, value)
        return len(lacking)

    def forget(self, agent: str, name: str) -> None:
        """Drop the mark from both; for a role whose keys a newer root replaced."""
        marks = self._beside()
        marks.get(agent, {}).pop(name, None)
        self._write(marks)
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM marks WHERE agent = ? AND name = ?", (agent, name))

    def _stored(self) -> dict[str, dict[str, int]]:
        marks: dict[str, dict[str, int]] = {}
        for agent, name, value in self._database.rows("SELECT agent, name, value FROM marks"):
            marks.setdefault(agent, {})[name] = int(value)
        return marks

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
        with host_faults("Keeping the marks beside the state database"):
            write_durably(self._copy, json.dumps(marks, indent=1, sort_keys=True).encode())
