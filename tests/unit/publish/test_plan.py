"""``publisher.json`` reads back as it was written, and nothing else is taken for one."""

from datetime import timedelta
from pathlib import Path

import pytest
from support.publishing import reopened

from pawld.errors import OperatorError
from pawld.publish.plan import Plan, read_plan
from pawld.publish.roles import Quorum, Term
from pawld.reasons import Reason

TWO = Plan(("acme", "other"), ("lts",), "lts", {"lts": Term(timedelta(days=30), timedelta(days=10))})


def test_a_plan_reads_back(tmp_path: Path) -> None:
    (tmp_path / "publisher.json").write_bytes(TWO.document())
    plan = read_plan(tmp_path / "publisher.json")
    assert plan == TWO
    assert plan.term("lts").lifetime == timedelta(days=30)
    assert plan.term("root").lifetime == timedelta(days=365)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2}'])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "publisher.json").write_text(text)
    with pytest.raises(OperatorError) as caught:
        reopened(tmp_path)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_directory_without_one_is_no_publishers(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="release init") as caught:
        reopened(tmp_path)
    assert caught.value.reason is Reason.CONFIG_MISSING


def test_the_only_product_need_not_be_named() -> None:
    assert Plan(("acme",), ("stable",), "stable").product(None) == "acme"
    assert TWO.product("other") == "other"
    for name in (None, "unknown"):
        with pytest.raises(OperatorError, match="acme, other") as caught:
            TWO.product(name)
        assert caught.value.reason is Reason.USAGE


def test_a_plan_needs_a_product_and_the_channel_that_it_archives() -> None:
    for products, channels in (((), ("stable",)), (("acme",), ("beta",))):
        with pytest.raises(OperatorError) as caught:
            Plan(products, channels, "stable")
        assert caught.value.reason is Reason.CONFIG_INVALID


@pytest.mark.parametrize(("keys", "threshold"), [(1, 2), (0, 0), (3, 0)])
def test_a_quorum_that_nobody_or_anybody_meets_is_none(keys: int, threshold: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Quorum(keys, threshold)
