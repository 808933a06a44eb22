"""A state as one line of JSON in the journal. Read without pydantic, so that ``status`` stays quick."""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from pawld.lifecycle.states import MOVES, Build, State
from pawld.reasons import Reason

_STATES: dict[str, type[State]] = {kind.state: kind for kind in MOVES}


def encoded(state: State) -> str:
    """Return the state as JSON; what is as it is by default is left out, for a pawld that does not know it yet."""
    told = ((field, getattr(state, field.name)) for field in fields(state))
    facts = {field.name: _plain(value) for field, value in told if value != field.default}
    return json.dumps({"state": state.state, **facts})


def decoded(document: str) -> State:
    """Read a state back; ``ValueError`` where it is none of ours."""
    try:
        facts = json.loads(document)
        kind = _STATES[facts.pop("state")]
        return kind(**{name: _READERS.get(name, _same)(value) for name, value in facts.items()})
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a state: {document[:80]}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, Reason):
        return value.code
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Build):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value


def _same(value: Any) -> Any:
    return value


def _moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


_READERS: dict[str, Any] = {
    "build": lambda value: Build(**value),
    "reason": Reason.of,
    "stuck": Reason.of,
    "since": _moment,
    "retry_at": _moment,
}
