"""Pin ``hawkbit``: the version of the deployment that is open for this host; without one it stays as it is.

It is also the courier's sender: each step of an update becomes feedback to the open action.
"""

from datetime import datetime

from pawld.model import Hold, Pinned, Platform, Unconfirmed
from pawld.pins.hawkbit.campaign import Campaign
from pawld.ports import Event
from pawld.reasons import Reason
from pawld.vendors.hawkbit import VENDOR


class HawkbitPin:
    """Implements ``ports.Pin`` and ``ports.Ordering``.

    Args:
        allow_downgrade: an older version than the installed one is meant.
    """

    def __init__(self, campaign: Campaign, *, allow_downgrade: bool = False) -> None:
        self._campaign = campaign
        self._allow_downgrade = allow_downgrade

    def wanted(self, platform: Platform) -> Pinned | Hold | None:  # noqa: ARG002 - the server knows this host's platform
        """Return the open deployment's version, or that there is none.

        Raises:
            OperatorError: unauthorized, forbidden; pin_ambiguous where a deployment has several modules.
            TransientError: the server cannot be asked.
            RejectedError: answer_not_understood.
        """
        action = self._campaign.refresh()
        retry_at = self._campaign.poll_at
        if action is None and self._campaign.unconfirmed is not None:
            waits = f"{VENDOR} deployment {self._campaign.unconfirmed} waits for a person to confirm it at the server"
            return Unconfirmed(f"{waits}{_again(retry_at)}.", retry_at)
        if action is None:
            return Hold(f"{VENDOR} deploys nothing to this host now{_again(retry_at)}.", retry_at)
        if action.download == "skip":
            return Hold(f"{VENDOR} deployment {action.id} of {action.version} is not to be downloaded yet.", retry_at)
        facts = {"deployment": action.id, "update": action.update}
        if action.window is not None:
            facts["maintenance window"] = "open" if action.window else "closed"
        forced = action.update == "forced"
        return Pinned(
            action.version, f"The {VENDOR} deployment {action.id}", self._allow_downgrade, facts, passes_windows=forced
        )

    def concluded(self, reason: Reason, message: str) -> None:
        """Tell the server how the cycle ended."""
        self._campaign.conclude(reason, message)


class HawkbitSender:
    """A courier's sender for the steps of one agent."""

    def __init__(self, campaign: Campaign, agent: str) -> None:
        self._campaign = campaign
        self._agent = agent

    def wants(self, event: Event) -> bool:
        """Steps of this agent while an action is open; the end of a cycle is told by the pin."""
        return event.agent == self._agent and event.state != "idle" and self._campaign.action is not None

    def send(self, event: Event) -> None:
        """Tell of the step."""
        self._campaign.proceed(f"{event.state}: {event.reason.code}: {event.message}", int(event.reason.exit))


def _again(retry_at: datetime | None) -> str:
    return f"; it wants to be asked again at {retry_at:%Y-%m-%d %H:%M} UTC" if retry_at else ""
