"""A vendor's signing keys as a target of a TUF repository says them, in its ``custom`` field.

``{"schema": 1, "public_keys": ["RW…", "RW…"], "threshold": 1}`` under ``vendor-keys/PRODUCT.json``.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pawld.errors import RejectedError
from pawld.reasons import Reason
from pawld.values import dataclass

TARGET = "vendor-keys/{product}.json"
_Key = Annotated[str, StringConstraints(pattern=r"^RW[A-Za-z0-9+/]{54}$")]


@dataclass(frozen=True, slots=True)
class VendorKeys:
    """The keys in force, and how many of them must sign."""

    public_keys: tuple[str, ...]
    threshold: int = 1


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    schema_: Literal[1] = Field(alias="schema")
    public_keys: list[_Key] = Field(min_length=1, max_length=32)
    threshold: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _enough(self) -> "_Form":
        if len(set(self.public_keys)) < len(self.public_keys):
            raise ValueError("public_keys names one key twice")
        if self.threshold > len(self.public_keys):
            raise ValueError("the threshold is more than there are keys")
        return self


def read_vendor_keys(custom: Any, target: str) -> VendorKeys:
    """Read the ``custom`` field of *target*; ``RejectedError`` (record_invalid) where it is not schema 1 in full."""
    try:
        form = _Form.model_validate(custom)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise RejectedError(
            Reason.RECORD_INVALID, f"The signed target {target} names no vendor's keys: {where}: {first['msg']}."
        ) from error
    return VendorKeys(tuple(form.public_keys), form.threshold)


def write_vendor_keys(keys: VendorKeys) -> dict[str, Any]:
    """Return the ``custom`` field that reads back as *keys*."""
    return {"schema": 1, "public_keys": list(keys.public_keys), "threshold": keys.threshold}
