import pytest

from pawld.errors import OperatorError
from pawld.model import Pinned, Platform
from pawld.pins.fixed import FixedPin
from pawld.reasons import Reason

LINUX = Platform("linux", "x86_64")


def test_the_configuration_orders_its_version() -> None:
    assert FixedPin("1.8.3").wanted(LINUX) == Pinned("1.8.3", "The configuration")


def test_a_downgrade_is_meant_only_where_it_is_said() -> None:
    pinned = FixedPin(" 1.8.3 ", allow_downgrade=True).wanted(LINUX)
    assert pinned == Pinned("1.8.3", "The configuration", allow_downgrade=True)


@pytest.mark.parametrize("version", ["", "  ", "1.8\n3"])
def test_a_pin_without_a_version_is_a_mistake(version: str) -> None:
    with pytest.raises(OperatorError) as caught:
        FixedPin(version)
    assert caught.value.reason is Reason.CONFIG_INVALID
