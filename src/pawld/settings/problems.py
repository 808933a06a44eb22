"""What is wrong with a configuration, one sentence each: the file, the key, the value and an example."""

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from pawld.settings.merge import SECRETS, Draft
from pawld.settings.models import Settings
from pawld.settings.section import PLACES, Section

Place = tuple[Any, ...]

_WANTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "path_type": "a path in quotes",
}
_SHOWN_LENGTH = 80  # characters of a value


def problems_of(error: ValidationError, draft: Draft) -> tuple[str, ...]:
    """Return each problem as a sentence that names where it was written; a value that may be secret is left out."""
    every = error.errors(include_url=False)
    found = [one for one in every if not _is_echo(one, every, draft)]
    sentences = [f"{draft.origin(_written(one, draft))}: {_sentence(one, draft)}." for one in found]
    return tuple(dict.fromkeys(sentences))


def _is_echo(one: Any, every: Sequence[Any], draft: Draft) -> bool:
    """Whether it only follows from another: a list too short without its bad items, a product out of a bad name."""
    place, kind = one["loc"], one["type"]
    if kind == "too_short":
        return any(len(other["loc"]) > len(place) and other["loc"][: len(place)] == place for other in every)
    return kind == "string_pattern_mismatch" and place[-1] == "product" and _at(draft.tree, place) is None


def _written(one: Any, draft: Draft) -> Place:
    """Return the place that was written: a secret's own key, where the table was blamed for it."""
    key = one.get("ctx", {}).get("key")
    return (*one["loc"], key) if key and isinstance(_at(draft.tree, one["loc"]), dict) else tuple(one["loc"])


def _sentence(one: Any, draft: Draft) -> str:
    place, kind, context = tuple(one["loc"]), one["type"], one.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return _unknown(place, draft)
        case "missing":
            return _missing(place, draft)
        case "unknown_kind":
            return _unknown_kind(place, context["kinds"], draft)
        case "literal_secret" | "two_secrets" | "secret_place":
            return _about_secret(place, kind, context)
        case "value_error":
            return f"{_assignment(place, draft)}: {context['error']}"
        case _:
            return f"{_assignment(place, draft)} {_fault(kind, context)}" + _example(place, draft)


def _fault(kind: str, context: dict[str, Any]) -> str:
    """Say what is wrong with a value that is what pydantic itself checks."""
    match kind:
        case "literal_error":
            return f"is not one of {context['expected'].replace(' or ', ', ')}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "too_short" | "string_too_short":
            return "is empty"
        case _:
            return f"is not {_WANTED.get(kind, 'of the right form')}"


def _unknown(place: Place, draft: Draft) -> str:
    section = section_at(place[:-1], draft.tree)
    known = section.keys() if section else []
    table = f"[{dotted(place[:-1])}]" if place[:-1] else "the top level"
    near = difflib.get_close_matches(str(place[-1]), known, 1)
    hint = f'perhaps "{near[0]}" is meant' if near else f"known are {', '.join(known)}"
    return f"{dotted(place)} is unknown: {table} has no such key; {hint}"


def _missing(place: Place, draft: Draft) -> str:
    section = section_at(place[:-1], draft.tree)
    key = str(place[-1])
    if section is not None and key in section.secrets():
        return f"{dotted(place)} is missing: give {_choices(key)}"
    if place == ("agents",):
        return "agents is missing: a table [agents.NAME] says what to keep current"
    return f"{dotted(place)} is missing{_example(place, draft)}"


def _unknown_kind(place: Place, kinds: Sequence[str], draft: Draft) -> str:
    table = _at(draft.tree, place)
    if not isinstance(table, dict) or "type" not in table:
        return f"{dotted(place)} has no type; it is one of {', '.join(kinds)}"
    near = difflib.get_close_matches(str(table["type"]), kinds, 1)
    hint = f"; perhaps {shown(near[0])} is meant" if near else f"; known are {', '.join(kinds)}"
    return f"{dotted(place)}.type = {shown(table['type'])} is unknown{hint}"


def _about_secret(place: Place, kind: str, context: dict[str, Any]) -> str:
    key = context["key"]
    name = dotted((*place, key))
    if kind == "two_secrets":
        return f"{name} is given in more than one place ({', '.join(key + one for one in context['given'])}); keep one"
    if kind == "secret_place":
        return f"{name} is not {context['form']}"
    return f"{name} holds the secret itself, where others may read it: replace the secret, and give {_choices(key)}"


def _choices(key: str) -> str:
    return f'{key}_file = "/etc/pawld/NAME.{key}", {key}_env, {key}_credential or {key}_command'


def _assignment(place: Place, draft: Draft) -> str:
    """``KEY = VALUE``, or the key alone where the value is a table, is not there, or may be secret."""
    if place and place[-1] == "[key]":
        return f"the name {shown(place[-2])} of [{dotted(place[:-2])}]"
    value = _at(draft.tree, place)
    if value is None or isinstance(value, dict) or _is_secret(place):
        return f"[{dotted(place)}]" if isinstance(value, dict) and place else dotted(place) or "the configuration"
    return f"{dotted(place)} = {shown(value)}"


def _is_secret(place: Place) -> bool:
    names = {name + one for name in SECRETS for one in ("", *PLACES)}
    return not names.isdisjoint(str(part) for part in place)


def _example(place: Place, draft: Draft) -> str:
    """``; for example KEY = …`` where the field has one."""
    names = [part for part in place if isinstance(part, str) and part != "[key]"]
    field = _field_at(place, draft.tree)
    for example in _examples(field) if field else []:
        return f"; for example {names[-1]} = {shown(example)}"
    return ""


def _examples(field: FieldInfo) -> list[Any]:
    """Return the field's own examples, else those of the types that it is made of."""
    return field.examples or list(_examples_in(field.annotation))


def _examples_in(annotation: Any) -> Iterator[Any]:
    for part in getattr(annotation, "__metadata__", ()):
        yield from getattr(part, "examples", None) or []
    for part in get_args(annotation):
        yield from _examples_in(part)


def _field_at(place: Place, tree: Any) -> FieldInfo | None:
    keys = list(place)
    while keys and (isinstance(keys[-1], int) or keys[-1] == "[key]"):
        keys.pop()
    section = section_at(tuple(keys[:-1]), tree) if keys else None
    return field_of(section, str(keys[-1])) if section else None


def field_of(section: type[Section], key: str) -> FieldInfo | None:
    """Return the field that a file calls *key*."""
    return next((field for name, field in section.model_fields.items() if key in {name, field.alias}), None)


def section_at(place: Place, tree: Any) -> type[Section] | None:
    """Return the kind of table at *place*, following ``type`` where there are several; None where it is not known."""
    kinds: list[type[Section]] = [Settings]
    named, value = False, tree
    for part in place:
        if isinstance(part, int) or named:
            named = False
        else:
            section = _kind(kinds, value)
            field = field_of(section, part) if section else None
            kinds = list(_sections_in(field.annotation)) if field else []
            named = bool(field) and get_origin(field.annotation if field else None) is dict
        value = _at(value, (part,))
    return _kind(kinds, value)


def _kind(kinds: Sequence[type[Section]], table: Any) -> type[Section] | None:
    if len(kinds) == 1:
        return kinds[0]
    wanted = table.get("type") if isinstance(table, dict) else None
    fields = {kind: kind.model_fields["type"] for kind in kinds}
    return next((kind for kind, one in fields.items() if (wanted or one.default) in get_args(one.annotation)), None)


def _sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections_in(part)


def _at(tree: Any, place: Place) -> Any:
    for part in place:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def dotted(place: Place) -> str:
    """Write a place as TOML does: ``agents.acme.gates[0].days``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def shown(value: Any) -> str:
    """Write a value nearly as TOML does, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"
