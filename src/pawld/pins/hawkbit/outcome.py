"""What the end of a cycle means for the server's action."""

from pawld.reasons import Exit, Reason
from pawld.vendors.hawkbit import Finished

_FAILED = frozenset({Exit.ROLLED_BACK, Exit.REFUSED, Exit.NO_BUILD})
_LEFT = frozenset(
    {
        Reason.BUILD_BLOCKED,
        Reason.BUILD_WITHDRAWN,
        Reason.CHANNEL_HALTED,
        Reason.OPERATOR_BLOCK,
        Reason.OPERATOR_ROLLBACK,
    }
)
"""Nothing is wrong, and yet this host does not get there by itself."""


def finished_by(reason: Reason, *, arrived: bool) -> Finished:
    """Return how the action ended; NONE while this host still tries, or waits.

    Args:
        reason: how the cycle ended.
        arrived: the ordered version is the installed one.
    """
    if reason.exit in _FAILED or reason in _LEFT:
        return Finished.FAILURE
    if arrived and reason in (Reason.UPDATED, Reason.UP_TO_DATE):
        return Finished.SUCCESS
    return Finished.NONE
