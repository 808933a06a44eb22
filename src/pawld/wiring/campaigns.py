"""Each agent's talk with its campaign server: one for pin, window and listener alike, so that they agree."""

from collections.abc import Sequence
from contextlib import ExitStack
from enum import Enum
from typing import TYPE_CHECKING

from pawld.install.shelf import Shelf
from pawld.ports import Gate, Reporter
from pawld.settings.models import Agent as AgentSettings
from pawld.settings.pins import HawkbitPin as HawkbitSettings
from pawld.wiring.proof import product_of
from pawld.wiring.surroundings import Surroundings

if TYPE_CHECKING:
    from pawld.pins.hawkbit import Campaign


class Access(Enum):
    """What this process may do: one that only looks tells no server anything."""

    CHANGE = "change"
    READ = "read"


class Campaigns:
    """The campaigns of one opened host; what carries their feedback ends with *closing*."""

    def __init__(self, closing: ExitStack, access: Access) -> None:
        self._closing = closing
        self._access = access
        self._campaigns: dict[str, Campaign] = {}
        self._reporters: dict[str, Sequence[Reporter]] = {}

    def of(self, agent: AgentSettings, around: Surroundings) -> "Campaign | None":
        """Return the agent's campaign; None where its pin is no campaign server's."""
        if isinstance(agent.pin, HawkbitSettings) and around.agent not in self._campaigns:
            speaks = self._access is Access.CHANGE
            self._campaigns[around.agent] = _campaign(agent, agent.pin, around, speaks=speaks)
        return self._campaigns.get(around.agent)

    def windows(self, agent: AgentSettings, around: Surroundings) -> Sequence[Gate]:
        """Return the gates that a campaign brings with it."""
        campaign = self.of(agent, around)
        if campaign is None:
            return ()
        from pawld.pins.hawkbit import HawkbitWindow

        return [HawkbitWindow(campaign)]

    def reporters(self, agent: AgentSettings, around: Surroundings) -> Sequence[Reporter]:
        """Return who carries the agent's steps to the campaign server."""
        campaign = self.of(agent, around)
        if campaign is None or self._access is Access.READ:
            return ()
        if around.agent not in self._reporters:
            from pawld.pins.hawkbit import HawkbitSender
            from pawld.report.courier import Courier

            courier = self._closing.enter_context(Courier([HawkbitSender(campaign, around.agent)]))
            self._reporters[around.agent] = [courier]
        return self._reporters[around.agent]


def _campaign(agent: AgentSettings, settings: HawkbitSettings, around: Surroundings, *, speaks: bool) -> "Campaign":
    from pawld import __version__
    from pawld.pins.hawkbit import Campaign, Identity
    from pawld.vendors.hawkbit import Ddi, DeviceToken, TokenKind

    ddi = Ddi(
        around.web,
        settings.base_url,
        settings.tenant,
        settings.controller_id or around.host_id,
        DeviceToken(settings.token, TokenKind[settings.token_kind.upper()]),
        around.clock.now,
    )
    platform = around.platform
    told = {"platform": platform.name, "os": platform.os, "arch": platform.arch, "channel": agent.channel}
    return Campaign(
        ddi,
        Identity(product_of(agent), {**told, "pawld": __version__, **settings.attributes}),
        around.state / "campaigns" / f"{around.agent}.json",
        around.clock.now,
        Shelf(agent.root).current,
        speaks=speaks,
    )
