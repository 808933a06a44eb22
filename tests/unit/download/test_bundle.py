"""A bundle that is not there is a slip of the hand, and no fault of the host."""

from pathlib import Path

import pytest

from pawld.download.bundle import open_bundle
from pawld.errors import OperatorError
from pawld.reasons import Reason


@pytest.mark.parametrize("name", ["mistyped.bundle", "."])
def test_a_bundle_that_is_not_there_is_told_by_its_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="There is no bundle ") as caught:
        open_bundle(tmp_path / name)
    assert caught.value.reason is Reason.USAGE
