"""The effective settings, key by key, and where each came from. Secrets appear as the place where they lie."""

from collections.abc import Iterator
from typing import Any

from pawld.settings.models import Settings
from pawld.settings.section import PLACES, Section
from pawld.system.secret import Secret
from pawld.values import dataclass

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its dotted key, its value as JSON knows it, and the file, the variable or ``default``."""

    key: str
    value: Any
    origin: str


def explain(settings: Settings) -> list[Row]:
    """Return every effective setting, in the order of the models; what is None is left out."""
    return [
        Row(".".join(keys), value, _origin(settings, keys))
        for keys, value in _leaves(settings, ())
        if value is not None
    ]


def _leaves(section: Section, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    written = section.model_dump(mode="json", by_alias=True)
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        if isinstance(value, Section):
            yield from _leaves(value, (*path, key))
        elif isinstance(value, dict) and all(isinstance(one, Section) for one in value.values()) and value:
            for inner, one in value.items():
                yield from _leaves(one, (*path, key, inner))
        elif isinstance(value, Secret):
            yield (*path, key), f"({value.describe()})"
        else:
            yield (*path, key), written[key]


def _origin(settings: Settings, keys: tuple[str, ...]) -> str:
    """A secret was written under its key with the place's name; a table of plain values counts as its first entry."""
    last = keys[-1]
    for one, origin in settings.origins.items():
        if one[: len(keys)] == keys:
            return origin
        if one[:-1] == keys[:-1] and one[-1] in {last + place for place in PLACES}:
            return origin
    return DEFAULT
