"""What may never fall, the one event that lets it, and a power cut in between."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.trusting import LINUX, MemoryMarks

from pawld.errors import RejectedError
from pawld.model import NoBuild, Record, Slot
from pawld.reasons import Reason
from pawld.trust.binding import check_same
from pawld.trust.engine import RoleMark
from pawld.trust.marks import Marks

RECORD = Record("acme", "stable", LINUX, "1.0.0", 5, 1, "a" * 64, "acme", "file")


def chain(root: int, version: int, keys: int) -> list[RoleMark]:
    return [
        RoleMark("root", root),
        RoleMark("timestamp", version, keys, "root"),
        RoleMark("targets", version, keys, "root"),
        RoleMark("role", version, keys, "targets"),
    ]


class PowerCut(BaseException):
    """The host goes dark."""


class Failing(MemoryMarks):
    """A store that goes dark at one of its writes."""

    def __init__(self, values: dict[tuple[str, str], int], writes: int) -> None:
        super().__init__()
        self.values = values
        self.writes = writes

    def _count(self) -> None:
        self.writes -= 1
        if self.writes < 0:
            raise PowerCut

    def raise_to(self, agent: str, name: str, value: int) -> None:
        self._count()
        super().raise_to(agent, name, value)

    def forget(self, agent: str, name: str) -> None:
        self._count()
        super().forget(agent, name)


@pytest.mark.parametrize("name", ["root", "timestamp", "targets", "role"])
def test_no_role_falls_by_itself(name: str) -> None:
    marks = Marks(MemoryMarks(), "acme")
    marks.raise_roles(chain(2, 9, 1))
    fallen = [replace(one, version=1) if one.name == name else one for one in chain(2, 9, 1)]

    with pytest.raises(RejectedError) as refused:
        marks.check_roles(fallen)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED
    assert name in refused.value.message


def test_other_keys_without_a_higher_root_replace_nothing() -> None:
    marks = Marks(MemoryMarks(), "acme")
    marks.raise_roles(chain(2, 9, 1))

    with pytest.raises(RejectedError):
        marks.check_roles(chain(2, 1, 2))


def test_a_higher_root_with_the_same_keys_replaces_nothing() -> None:
    marks = Marks(MemoryMarks(), "acme")
    marks.raise_roles(chain(2, 9, 1))

    with pytest.raises(RejectedError):
        marks.check_roles(chain(3, 1, 1))


def test_a_role_whose_authority_is_not_told_is_never_replaced() -> None:
    marks = Marks(MemoryMarks(), "acme")
    marks.raise_roles(chain(2, 9, 1))

    with pytest.raises(RejectedError):
        marks.check_roles([RoleMark("timestamp", 1, 2, "root")])


@pytest.mark.parametrize("cut", range(17))
def test_new_keys_start_a_role_anew_though_the_power_be_cut_at_any_write(cut: int) -> None:
    store = MemoryMarks()
    Marks(store, "acme").raise_roles(chain(2, 9, 1))
    fresh = [replace(one, version=10) if one.name == "targets" else one for one in chain(3, 1, 2)]
    cutting = Marks(Failing(store.values, cut), "acme")
    cutting.check_roles(fresh)
    with suppress(PowerCut):
        cutting.raise_roles(fresh)

    marks = Marks(store, "acme")
    marks.check_roles(fresh)
    marks.raise_roles(fresh)

    assert [store.mark("acme", name) for name in ("root", "timestamp", "targets", "role")] == [3, 1, 10, 1]
    with pytest.raises(RejectedError):
        marks.check_roles(chain(3, 0, 2))


def test_a_role_starts_anew_together_with_the_role_that_names_its_keys() -> None:
    store = MemoryMarks()
    marks = Marks(store, "acme")
    marks.raise_roles(chain(2, 9, 1))

    marks.check_roles(chain(3, 1, 2))
    marks.raise_roles(chain(3, 1, 2))

    assert [store.mark("acme", name) for name in ("root", "timestamp", "targets", "role")] == [3, 1, 1, 1]


def test_two_engines_without_a_build_agree_and_with_one_they_do_not() -> None:
    check_same(NoBuild("none"), NoBuild("none here either"))
    check_same(RECORD, replace(RECORD, length=99, length_signed=False))

    for other in (NoBuild("none"), replace(RECORD, length=2), replace(RECORD, sha256="b" * 64)):
        with pytest.raises(RejectedError) as refused:
            check_same(RECORD, other)
        assert refused.value.reason is Reason.RECORD_MISMATCH


@pytest.mark.parametrize(("runs", "allowed"), [("1.1.0", True), ("1.0.0", True), ("1.2.0", False)])
def test_a_signed_permission_to_go_back_is_for_the_versions_that_it_names(runs: str, allowed: bool) -> None:
    marks = Marks(MemoryMarks(), "acme")
    marks.raise_sequence("path", replace(RECORD, sequence=9))
    back = replace(RECORD, allow_downgrade_from=("1.1.0",))
    installed = Slot(Path("slot"), runs, "b" * 64, 9)

    if allowed:
        marks.check_sequence("path", back, installed)
        return
    with pytest.raises(RejectedError) as refused:
        marks.check_sequence("path", back, installed)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED
