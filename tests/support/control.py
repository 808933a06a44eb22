"""A control in memory: it answers with documents that a test wrote, and remembers what it was asked."""

from typing import Any

from pawld.reasons import Reason

SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def agent(reason: Reason, message: str = "It is so.", **changes: Any) -> dict[str, Any]:
    """One agent as ``status --json`` shows it."""
    return {
        "name": "acme",
        "platform": "linux-x86_64",
        "channel": "stable",
        "installed": {"version": "1.8.3", "sha256": SHA, "since": "2026-01-02T03:04:05+00:00"},
        "wanted": None,
        "state": "idle",
        "reason": {"code": reason.code, "message": message, "next_step": reason.next_step, "retry_at": None},
        "last_check": None,
        "last_good_refresh": None,
        "blocked": [],
        "slots": [],
    } | changes


class FakeControl:
    """Answers every verb with the same document, and writes down each question."""

    def __init__(self, document: dict[str, Any] | None = None, error: BaseException | None = None) -> None:
        self.document = document or {"agents": [agent(Reason.UP_TO_DATE)]}
        self.error = error
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, verb: str) -> Any:
        """Return the verb."""

        def answer(*question: Any) -> Any:
            self.asked.append((verb, *question))
            if self.error is not None:
                raise self.error
            return 0 if verb == "run" else self.document

        return answer
