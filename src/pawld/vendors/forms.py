"""Reading a vendor's documents: what is documented is checked, what is unknown is passed over."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pawld.vendors.api import misunderstood

_F = TypeVar("_F", bound=BaseModel)


class Form(BaseModel):
    """A vendor's object: further fields are new ones and no concern; a wrong type is."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, defer_build=True)


def read(form: type[_F], value: Any, vendor: str, what: str) -> _F:
    """Return *value* as *form*; ``RejectedError`` (answer_not_understood) naming *what* and the field otherwise."""
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise misunderstood(vendor, f"{what} is wrong at {field}: {first['msg']}") from None
