"""A ramp is read as people write it, and refused where it does not rise to everyone."""

from datetime import timedelta

import pytest

from pawld.errors import OperatorError
from pawld.model import RampStep
from pawld.publish.ramp import parse_ramp
from pawld.reasons import Reason


def test_shares_and_times_are_read() -> None:
    assert parse_ramp("1% 1h, 10% 6h,100%") == (
        RampStep(0.01, timedelta(hours=1)),
        RampStep(0.1, timedelta(hours=6)),
        RampStep(1.0, timedelta(0)),
    )
    assert parse_ramp("0.1 % 30m, 100% 2d")[0] == RampStep(0.001, timedelta(minutes=30))
    assert parse_ramp("100%") == (RampStep(1.0, timedelta(0)),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1%",
        "1% 1h",
        "10% 1h, 1% 1h, 100%",
        "10%, 100%",
        "101%",
        "0% 1h, 100%",
        "1% 1y, 100%",
        "1 1h, 100%",
        "50% 1h, 50% 1h, 100%",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(OperatorError) as caught:
        parse_ramp(text)
    assert caught.value.reason is Reason.USAGE
