"""Pin ``fixed``: the configuration itself names the version."""

from pawld.errors import OperatorError
from pawld.model import Pinned, Platform
from pawld.reasons import Reason


class FixedPin:
    """Always the same order."""

    def __init__(self, version: str, *, allow_downgrade: bool = False) -> None:
        if not version.strip() or not version.isprintable():
            raise OperatorError(Reason.CONFIG_INVALID, "A fixed pin needs a version.")
        self._pinned = Pinned(version.strip(), "The configuration", allow_downgrade)

    def wanted(self, platform: Platform) -> Pinned | None:  # noqa: ARG002 - the same for every platform
        """Return the order of the configuration."""
        return self._pinned
