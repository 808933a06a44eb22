"""What people and programs read: documents as text or as JSON, failures in a sentence.

With ``--json`` one document goes to stdout and everything for people to stderr; without it, text goes to stdout.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pawld.errors import PawldError
from pawld.reasons import Exit, Reason
from pawld.values import dataclass

Document = Mapping[str, Any]

# The worst first: what several agents' outcomes come to for the shell.
_WORST_FIRST = (
    Exit.UNEXPECTED,
    Exit.USAGE,
    Exit.CONFIGURATION,
    Exit.NOT_PERMITTED,
    Exit.REFUSED,
    Exit.ROLLED_BACK,
    Exit.NO_BUILD,
    Exit.TRY_LATER,
    Exit.UPDATE_AVAILABLE,
    Exit.DONE,
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How this call wants to be answered."""

    json: bool = False
    verbose: bool = False


def manner_of(words: Sequence[str]) -> Manner:
    """Read the manner off the command line, even off one that cannot be parsed."""
    return Manner("--json" in words, not {"-v", "--verbose"}.isdisjoint(words))


def show(document: Document, lines: Iterable[str], manner: Manner) -> None:
    """Print the *document* for a program, or its *lines* for a person."""
    if manner.json:
        print(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))
        return
    for line in lines:
        print(line)


def fail(error: PawldError, manner: Manner) -> int:
    """Tell why it failed, and return the exit code that says so."""
    return _tell(error.reason, error.message, error.retry_after, manner)


def fail_unexpectedly(error: Exception, manner: Manner) -> int:
    """Tell of what nobody foresaw; the traceback only where it was asked for."""
    if manner.verbose:
        import traceback

        from pawld.report.redaction import redacted

        print(redacted("".join(traceback.format_exception(error))), file=sys.stderr, end="")
    return _tell(
        Reason.UNEXPECTED, f"pawld met something that it did not foresee: {type(error).__name__}.", None, manner
    )


def worst_exit(document: Document) -> Exit:
    """Return the exit code of the agent that fared worst; DONE where there is none."""
    exits = {_exit_of(agent.get("reason") or {}) for agent in document.get("agents", ())}
    return next((one for one in _WORST_FIRST if one in exits), Exit.DONE)


def outcome_lines(document: Document) -> list[str]:
    """Tell each agent's outcome: its sentence, its code, and what to do next where there is something."""
    return [line for agent in document.get("agents", ()) for line in _outcome(agent)]


def moment(text: str | None) -> str:
    """Write a moment of a document for a person: UTC, to the second."""
    if not text:
        return "never"
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _outcome(agent: Document) -> Iterable[str]:
    reason = agent.get("reason") or {}
    yield f"{agent.get('name', '?')}: {reason.get('message', 'nothing is known yet')} ({reason.get('code', 'unknown')})"
    if _exit_of(reason) is not Exit.DONE and reason.get("next_step"):
        yield f"  next: {reason['next_step']}"
    if reason.get("retry_at"):
        yield f"  again at: {moment(reason['retry_at'])}"


def _exit_of(reason: Document) -> Exit:
    try:
        return Reason.of(reason.get("code", Reason.IDLE.code)).exit
    except KeyError:
        return Exit.UNEXPECTED


def _tell(reason: Reason, message: str, retry_after: timedelta | None, manner: Manner) -> int:
    retry_at = datetime.now(UTC).replace(microsecond=0) + retry_after if retry_after else None
    if manner.json:
        print(json.dumps({"reason": reason.document(message, retry_at)}, indent=2, ensure_ascii=False))
    print(f"pawld: {message}\nreason: {reason.code}\nnext: {reason.next_step}", file=sys.stderr)
    if retry_at:
        print(f"again at: {moment(retry_at.isoformat())}", file=sys.stderr)
    return int(reason.exit)


def _plain(value: Any) -> str:
    """What JSON does not know: moments as ISO 8601, everything else as its text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
