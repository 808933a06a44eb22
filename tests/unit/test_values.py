"""A class of values behaves as the standard library's frozen one with slots does."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pawld import values

Make = Callable[..., Callable[[type], Any]]


def made_by(make: Make) -> Any:
    @make(frozen=True, slots=True)
    class Build:
        """One build."""

        version: str
        size: int = 0
        token: str = dataclasses.field(default="t", repr=False, compare=False)
        facts: dict[str, str] = dataclasses.field(default_factory=dict)

        def bigger(self) -> Any:
            return dataclasses.replace(self, size=self.size + 1)

    return Build


LIBRARY, OURS = made_by(dataclasses.dataclass), made_by(values.dataclass)


@pytest.mark.parametrize(
    "show",
    [
        repr,
        dataclasses.asdict,
        dataclasses.astuple,
        lambda one: [field.name for field in dataclasses.fields(one)],
        lambda one: one.__match_args__,
        lambda one: one.bigger(),
        lambda one: copy.deepcopy(one).facts,
        lambda one: hasattr(one, "__dict__"),
        lambda one: [getattr(one, name) for name in ("version", "size", "token", "facts")],
    ],
)
@pytest.mark.parametrize("given", [("1.0",), ("1.0", 5), ("1.0", 5, "secret", {"os": "linux"})])
def test_what_a_value_shows_is_the_same(show: Callable[[Any], object], given: tuple[Any, ...]) -> None:
    assert repr(show(OURS(*given))) == repr(show(LIBRARY(*given)))


@pytest.mark.parametrize("given", [(), ("1.0", 1, "t", {}, "one too many")])
@pytest.mark.parametrize("named", [{}, {"version": "2.0"}, {"unknown": 1}])
def test_arguments_that_do_not_fit_are_refused_alike(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    refused = []
    for one in (LIBRARY, OURS):
        try:
            refused.append(repr(one(*given, **named)))
        except TypeError as error:
            refused.append(str(error).rpartition(".")[2])
    assert refused[0] == refused[1]


def test_the_first_object_and_the_later_ones_are_made_alike() -> None:
    fresh = made_by(values.dataclass)
    assert fresh(version="1.0", size=2) == fresh("1.0", 2)


def test_values_are_equal_by_what_is_compared_and_by_class() -> None:
    assert OURS("1.0", token="a") == OURS("1.0", token="b")
    assert OURS("1.0") != OURS("1.1")
    assert OURS("1.0") != LIBRARY("1.0")


def test_a_value_can_be_a_key() -> None:
    @values.dataclass(frozen=True, slots=True)
    class Key:
        """A key."""

        name: str

    assert {Key("a"): 1}[Key("a")] == 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS("1.0"))


@pytest.mark.parametrize("name", ["version", "anything"])
def test_a_value_never_changes(name: str) -> None:
    one = OURS("1.0")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, name, "2.0")
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(one, name)
    assert one == OURS("1.0")


@values.dataclass(frozen=True, slots=True)
class Head:
    """The first fields."""

    version: str
    size: int = 0


@values.dataclass(frozen=True, slots=True)
class Whole(Head):
    """More of them."""

    files: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{len(self.files)} files"


def test_a_class_takes_over_the_fields_of_another_and_keeps_its_own_methods() -> None:
    one = Whole("1.0", files=("a",))
    assert (one.version, one.size, one.files, repr(one)) == ("1.0", 0, ("a",), "1 files")
    assert pickle.loads(pickle.dumps(one)) == one


def test_the_library_s_own_may_inherit_and_only_if_it_is_frozen_too() -> None:
    @dataclasses.dataclass(frozen=True)
    class More(Head):
        """One more field."""

        note: str = ""

    assert More("1.0", note="x") == More("1.0", 0, "x")
    with pytest.raises(TypeError, match="frozen"):

        @dataclasses.dataclass
        class Changing(Head):
            """May change."""


@pytest.mark.parametrize("field", [dataclasses.field(init=False), dataclasses.field(kw_only=True)])
def test_a_field_of_another_kind_is_refused_not_misread(field: Any) -> None:
    @values.dataclass(frozen=True, slots=True)
    class Odd:
        """Has such a field."""

        name: str = field

    with pytest.raises(TypeError, match="kind"):
        Odd()


def test_a_class_that_looks_at_itself_once_made_is_the_library_s_own() -> None:
    @values.dataclass(frozen=True, slots=True)
    class Judged:
        """Refuses."""

        size: int

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("negative")

    with pytest.raises(ValueError, match="negative"):
        Judged(-1)


def test_a_class_that_may_change_is_the_library_s_own() -> None:
    @values.dataclass(eq=False, slots=True)
    class Count:
        """Changes."""

        number: int = 0

    one = Count()
    one.number = 2
    assert (one.number, one == Count(2)) == (2, False)
