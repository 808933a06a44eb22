"""Outcomes on their way to a receiver that a test holds in its hands."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pawld.errors import PawldError
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.report.letter import Letter, written

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOST = "host-1"


def outcome(number: int = 0, reason: Reason = Reason.UPDATED, agent: str = "acme") -> Event:
    """The end of a cycle; each *number* is another one, a minute later than the one before."""
    at = AT + timedelta(minutes=number)
    return Event(at, agent, "idle", reason, f"Updated to 1.{number}.0.", f"1.{number}.0", f"{number:064x}")


def document(number: int = 0) -> dict[str, Any]:
    """What is spooled of ``outcome(number)``."""
    return written(outcome(number), HOST, {})


class FakeReceiver:
    """Remembers what it was sent; raises what *fault* says first."""

    def __init__(self, fault: Callable[[Letter], PawldError | None] = lambda _letter: None) -> None:
        self.fault = fault
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        if error := self.fault(letter):
            raise error
        self.letters.append(letter)

    @property
    def versions(self) -> list[str]:
        """The versions that it heard of, in their order."""
        return [letter.document["version"] for letter in self.letters]
