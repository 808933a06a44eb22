"""The configuration's JSON Schema, for editors and for the curious: every key with its meaning."""

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from pawld.settings.models import Settings
from pawld.settings.section import Section


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of one whole configuration file."""
    kinds = [(kind, "validation") for kind in _kinds(Section)]
    _, written = models_json_schema(kinds, ref_template="#/$defs/{model}")  # type: ignore[arg-type]  # a list of pairs
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pawld.toml",
        "$ref": f"#/$defs/{Settings.__name__}",
        "$defs": written["$defs"],
    }


def _kinds(section: type[Section]) -> Iterator[type[Section]]:
    for kind in section.__subclasses__():
        if not kind.__name__.startswith("_"):
            yield kind
        yield from _kinds(kind)
