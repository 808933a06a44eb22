"""The deployment's maintenance window as a gate: the build is fetched and staged, and swapped when the server says."""

from datetime import datetime, timedelta

from pawld.errors import PawldError, TransientError
from pawld.pins.hawkbit.campaign import Campaign
from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.vendors.hawkbit import VENDOR

_NOT_SOONER = timedelta(minutes=1)


class HawkbitWindow:
    """Implements ``ports.Gate``; it asks the server anew right before the swap, so that a cancel is seen too."""

    name = "hawkbit"

    def __init__(self, campaign: Campaign, *, max_deferral: timedelta = timedelta(days=14)) -> None:
        self._campaign = campaign
        self.max_deferral = max_deferral

    def check(self, now: datetime) -> Answer:
        """Ask the server whether the swap may be now."""
        try:
            action = self._campaign.ask()
        except TransientError as error:
            return Closed(error.reason, error.message, now + max(error.retry_after or _NOT_SOONER, _NOT_SOONER))
        except PawldError as error:
            return Broken(error.message, error.reason)
        again = max(self._campaign.poll_at or now, now + _NOT_SOONER)
        if action is None:
            return Closed(Reason.NOT_DEPLOYED, f"{VENDOR} took the deployment back.", again)
        if action.update == "skip":
            return Closed(Reason.OUTSIDE_WINDOW, f"{VENDOR} deployment {action.id} is to be downloaded only.", again)
        if action.window is False:
            return Closed(
                Reason.OUTSIDE_WINDOW, f"The maintenance window of {VENDOR} deployment {action.id} is closed.", again
            )
        return Open((f"{VENDOR} deployment {action.id} is {action.update}",))

    def release(self) -> None:
        """Hold nothing."""
