"""Tables of several kinds, told apart by ``type``: only the kinds that a file uses are ever built.

pydantic's own discriminated unions build every member, at 20 ms of CPU here, and put the kind into the places of their
errors, where it cannot be told from a key. So the member is chosen first and validates itself.
"""

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


class ByType:
    """Marks an ``Annotated`` union of tables whose ``type`` says which one it is."""

    def __get_pydantic_core_schema__(self, union: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by the member that ``type`` names."""
        kinds = kinds_of(union)
        return core_schema.no_info_plain_validator_function(
            lambda table: _chosen(kinds, table),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.model_dump(by_alias=True, exclude_none=True)
            ),
            metadata={"kinds": kinds},
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> dict[str, Any]:
        """Refer to the members; ``schema`` writes them out."""
        kinds: Mapping[str, type[BaseModel]] = core["metadata"]["kinds"]
        places = {kind: f"#/$defs/{member.__name__}" for kind, member in kinds.items()}
        return {
            "oneOf": [{"$ref": place} for place in places.values()],
            "discriminator": {"propertyName": "type", "mapping": places},
        }


class WhenGiven:
    """Marks ``Annotated[Table | None, …]``: a table that few files have is built where one has it, and not before."""

    def __get_pydantic_core_schema__(self, union: Any, _: GetCoreSchemaHandler) -> CoreSchema:
        """Validate by the table's own model."""
        member: type[BaseModel] = get_args(union)[0]
        return core_schema.no_info_plain_validator_function(
            lambda table: table if table is None or isinstance(table, member) else member.model_validate(table),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value and value.model_dump(by_alias=True, exclude_none=True)
            ),
            metadata={"member": member},
        )

    def __get_pydantic_json_schema__(self, core: CoreSchema, _: GetJsonSchemaHandler) -> dict[str, Any]:
        """Refer to the table; ``schema`` writes it out."""
        return {"oneOf": [{"$ref": f"#/$defs/{core['metadata']['member'].__name__}"}]}


def kinds_of(union: Any) -> dict[str, type[BaseModel]]:
    """Return the members of a union by what their ``type`` says."""
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in get_args(union)}


def _is_usual(member: type[BaseModel]) -> bool:
    """Whether this is the kind that is meant where ``type`` is left out."""
    return not member.model_fields["type"].is_required()


def _chosen(kinds: Mapping[str, type[BaseModel]], table: Any) -> BaseModel:
    if isinstance(table, BaseModel):
        return table
    if not isinstance(table, dict):
        raise PydanticCustomError("dict_type", "a table")
    kind = table.get("type", next((kind for kind, member in kinds.items() if _is_usual(member)), None))
    if not isinstance(kind, str) or kind not in kinds:
        raise PydanticCustomError("unknown_kind", "{kinds}", {"kinds": list(kinds)})
    return kinds[kind].model_validate(table)
