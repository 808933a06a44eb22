"""``dataclass``, for the classes that are made while somebody waits for the program to start.

The standard library writes six methods for each class, and compiles them as the class is made. That takes 0.35 ms;
an update makes a hundred classes before its first request, and ``status`` fifty, of which it uses nine. Here fields
and slots are the library's, the initializer is compiled when the first object is made, and the other methods are
written once for all. What comes out behaves alike; ``tests/unit/test_values.py`` holds the two against each other.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from dataclasses import dataclass as _dataclass
from typing import TYPE_CHECKING, Any, cast

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(**how: bool) -> Callable[[type], type]:
        """Make a class of values; one of another kind, or with a ``__post_init__``, is the standard library's own."""

        def make(plain: type) -> type:
            if how == {"frozen": True, "slots": True} and not hasattr(plain, "__post_init__"):
                return _value_class(plain)
            return _dataclass(**how)(plain)

        return make


def _value_class(plain: type) -> type:
    inherits = hasattr(plain, "__dataclass_params__")  # only then does the library see to it that all are frozen
    made: Any = _dataclass(init=False, repr=False, eq=False, slots=True, frozen=inherits)(plain)
    made.__dataclass_params__.frozen = True
    made.__init__ = _first_call(made)
    for name, method in _METHODS.items():
        if name not in vars(made):
            setattr(made, name, method)
    return cast("type", made)


def _first_call(made: Any) -> Callable[..., None]:
    """Return an initializer that has the real one written when it is called, and is not called again."""

    def first(self: object, *values: object, **named: object) -> None:
        made.__init__ = _initializer(made)
        made.__init__(self, *values, **named)

    return first


def _initializer(made: Any) -> Callable[..., None]:
    """Write ``__init__`` in terms of the class's own fields, and compile it; no other text gets into it."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    taken, lines = ["self"], ["pass"]
    for one in _fields(made):
        taken.append(_parameter(one, known))
        default = f"_made_{one.name}() if {one.name} is _missing else " if f"_made_{one.name}" in known else ""
        lines.append(f"_set(self, {one.name!r}, {default}{one.name})")
    exec(f"def __init__({', '.join(taken)}):\n " + "\n ".join(lines), known)  # noqa: S102 - as dataclasses does
    return cast("Callable[..., None]", known["__init__"])


def _parameter(one: "Field[Any]", known: dict[str, Any]) -> str:
    """Return the field as a parameter; what its default comes from goes into *known*."""
    if not one.init or one.kw_only:
        raise TypeError(f"the field {one.name} is of a kind that is not made here")
    if one.default_factory is not MISSING:
        known[f"_made_{one.name}"] = one.default_factory
        return f"{one.name}=_missing"
    if one.default is not MISSING:
        known[f"_default_{one.name}"] = one.default
        return f"{one.name}=_default_{one.name}"
    return one.name


def _fields(made: Any) -> tuple["Field[Any]", ...]:
    return fields(made)


def _compared(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, one.name) for one in _fields(value) if one.compare)


class _Methods:
    """What every class of values has, as long as it has none of its own."""

    def __eq__(self, other: object) -> bool:
        return _compared(self) == _compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self) -> int:
        return hash(_compared(self))

    def __repr__(self) -> str:
        told = (f"{one.name}={getattr(self, one.name)!r}" for one in _fields(self) if one.repr)
        return f"{self.__class__.__qualname__}({', '.join(told)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __getstate__(self) -> list[object]:
        return [getattr(self, one.name) for one in _fields(self)]

    def __setstate__(self, state: list[object]) -> None:
        for one, value in zip(_fields(self), state, strict=True):
            object.__setattr__(self, one.name, value)


_METHODS = {name: method for name, method in vars(_Methods).items() if callable(method)}
