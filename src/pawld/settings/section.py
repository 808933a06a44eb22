"""What every table of the configuration is: frozen, without unknown keys, its secrets known by place alone.

A field of the type ``Credential`` called ``token`` is written as one of ``token_file``, ``token_env``,
``token_credential`` and ``token_command``, and never as ``token``: a literal ends in backups and tickets.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    InstanceOf,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from pawld.system.secret import Secret

PLACES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "_file": ("A file that its owner alone may read; it holds", {"type": "string", "format": "path"}),
    "_env": ("The name of an environment variable that holds", {"type": "string"}),
    "_credential": ("The name of a systemd credential (LoadCredential=) that holds", {"type": "string"}),
    "_command": ("A program and its arguments that print", {"type": "array", "items": {"type": "string"}}),
}
CREDENTIALS = Path("/run/credentials/pawld.service")  # where systemd puts them for our unit

Credential = Annotated[
    InstanceOf[Secret], PlainSerializer(lambda secret: f"({secret.describe()})"), WithJsonSchema({"type": "string"})
]
"""A secret; see the module's docstring for how it is written."""


class Section(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=False,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        defer_build=True,
    )

    @classmethod
    def secrets(cls) -> tuple[str, ...]:
        """Return the names of the fields that are secrets."""
        return tuple(name for name, field in cls.model_fields.items() if _mentions_secret(field.annotation))

    @classmethod
    def keys(cls) -> list[str]:
        """Return every key that the table may have in a file."""
        secrets = cls.secrets()
        plain = [field.alias or name for name, field in cls.model_fields.items() if name not in secrets]
        return plain + [name + place for name in secrets for place in PLACES]

    @model_validator(mode="before")
    @classmethod
    def _find_secrets(cls, table: Any) -> Any:
        secrets = cls.secrets()
        if not secrets or not isinstance(table, dict):
            return table
        found = dict(table)
        for name in secrets:
            given = {place: found.pop(name + place) for place in PLACES if name + place in found}
            if name in found and not isinstance(found[name], Secret):
                raise PydanticCustomError("literal_secret", "{key}", {"key": name})
            if len(given) > 1:
                raise PydanticCustomError("two_secrets", "{key}", {"key": name, "given": sorted(given)})
            if given:
                found[name] = _secret(name, *given.popitem())
        return found

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe secrets as they are written: by place."""
        schema = handler.resolve_ref_schema(handler(core))
        properties = schema.get("properties", {})
        for name in cls.secrets():
            told = properties.pop(name, {})
            schema["required"] = [key for key in schema.get("required", []) if key != name]
            for place, (words, form) in PLACES.items():
                properties[name + place] = {**form, "description": f"{words} {told.get('description', 'the secret.')}"}
        return schema


def _mentions_secret(annotation: Any) -> bool:
    return annotation is Secret or any(_mentions_secret(part) for part in get_args(annotation))


def _secret(name: str, place: str, value: Any) -> Secret:
    """Name the secret's place; nothing is read before it is used."""
    if place == "_command":
        if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
            raise PydanticCustomError(
                "secret_place", "{key}", {"key": name + place, "form": 'a list such as ["vault"]'}
            )
        return Secret.from_command(value)
    if not isinstance(value, str) or not value:
        raise PydanticCustomError("secret_place", "{key}", {"key": name + place, "form": "text"})
    if place == "_env":
        return Secret.from_env(value)
    if place == "_credential":
        return Secret.from_file(Path(os.environ.get("CREDENTIALS_DIRECTORY") or CREDENTIALS) / Path(value).name)
    if not Path(value).is_absolute():
        raise PydanticCustomError("secret_place", "{key}", {"key": name + place, "form": "an absolute path"})
    return Secret.from_file(value)
